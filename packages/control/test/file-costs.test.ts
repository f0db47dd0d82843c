import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { workflow } from "@slipway/core";
import { memory } from "@slipway/provider-memory";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { z } from "zod";
import {
  allEntries,
  fileStore,
  launch,
  memoryStore,
  type RunRecord,
  runRecordId,
  runWorkflow,
  type StepRecord,
  type Store,
} from "../src/index.ts";

/** What the store has asked of the file system; nothing is really flushed, since a test loses no power. */
const cost = vi.hoisted(() => ({ flushes: 0, bytes: 0 }));
vi.mock("node:fs/promises", async (importOriginal) => {
  const real = await importOriginal<typeof import("node:fs/promises")>();
  return {
    ...real,
    open: async (...args: Parameters<typeof real.open>) => {
      const file = await real.open(...args);
      const write = file.writeFile.bind(file);
      return Object.assign(file, {
        sync: async () => void (cost.flushes += 1),
        writeFile: async (text: string) => {
          cost.bytes += Buffer.byteLength(text);
          return await write(text);
        },
      });
    },
  };
});

let directory: string;
let store: Store;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "slipway-costs-"));
  store = fileStore(directory);
  cost.flushes = 0;
  cost.bytes = 0;
});
afterEach(() => rm(directory, { recursive: true, force: true }));

const chain = workflow({
  type: "chain",
  version: 1,
  input: z.number(),
  output: z.number(),
  run: async ({ step }, many) => {
    for (let at = 0; at < many; at += 1) await step(`step ${at}`, async () => ({ at, text: "x".repeat(40) }));
    return many;
  },
});

describe("a run on files", () => {
  const bytesOf = async (many: number): Promise<number> => {
    cost.bytes = 0;
    await runWorkflow(chain, many, { journal: store, runId: `r-${many}` });
    return cost.bytes;
  };

  test("writes ten times as much for ten times as many steps", async () => {
    const [few, many] = [await bytesOf(100), await bytesOf(1000)];
    expect(many / few).toBeLessThanOrEqual(11);
    // Each step is written as it begins, as it ends, and once more in the record of the whole run.
    expect(many / 1000).toBeLessThanOrEqual(800);
  });

  test("flushes once for each change of a step", async () => {
    await bytesOf(100);
    expect(cost.flushes).toBeLessThanOrEqual(2 * 100 + 10);
  });

  test("leaves one file when it has ended", async () => {
    await bytesOf(20);
    expect((await readdir(directory)).filter((name) => !name.endsWith(".lease"))).toEqual([
      expect.stringMatching(/\.json$/),
    ]);
  });
});

describe("steps that are added to a record", () => {
  const id = runRecordId("r");
  const record: RunRecord = {
    ...{ kind: "run", runId: "r", type: "t", version: 1, state: "running", startedAt: "2026-01-01T00:00:00Z" },
    ...{ input: null, steps: [] },
  };
  const step = (name: string, result: string): StepRecord => ({
    ...{ name, kind: "step", state: "done", undoable: false, result },
  });
  const seenBy = async (one: Store) => {
    const read = await one.read(id);
    return read?.kind === "run" ? read.steps.map(({ name, result }) => [name, result]) : null;
  };
  const append = (one: Store, added: StepRecord) => one.appendStep?.(id, added);
  const stepFile = async () => {
    const name = (await readdir(directory)).find((file) => file.endsWith(".steps"));
    return join(directory, name ?? "none");
  };

  test("are in what is read, also by others, and only the last of a name", async () => {
    await store.acquire(id);
    await store.write(id, record);
    await append(store, step("a", "1"));
    await append(store, step("b", "2"));
    await append(store, step("a", "3"));
    const expected = [
      ["a", "3"],
      ["b", "2"],
    ];
    expect(await seenBy(store)).toEqual(expected);
    expect(await seenBy(fileStore(directory))).toEqual(expected);
    const entries = await allEntries(store, { kind: "run" });
    expect(entries.map((entry) => (entry.record.kind === "run" ? entry.record.steps.length : 0))).toEqual([2]);
  });

  test.each(["memory", "file"])("replace the last of their name, and what was written stands (%s)", async (kind) => {
    const one = kind === "memory" ? memoryStore() : store;
    const begun = [step("command", "1"), step("command", "2"), step("other", "1")];
    await one.acquire(id);
    await one.write(id, { ...record, steps: begun });
    expect(await one.read(id)).toMatchObject({ steps: begun });
    await append(one, step("command", "3"));
    expect(await one.read(id)).toMatchObject({
      steps: [step("command", "1"), step("command", "3"), step("other", "1")],
    });
  });

  test("are gone once the record is written anew or removed", async () => {
    await store.acquire(id);
    await store.write(id, record);
    await append(store, step("a", "1"));
    await store.write(id, record);
    expect(await seenBy(store)).toEqual([]);
    await append(store, step("b", "1"));
    await store.remove(id);
    expect(await seenBy(store)).toBeNull();
    expect((await readdir(directory)).filter((name) => name.endsWith(".steps"))).toEqual([]);
  });

  test("need the lease", async () => {
    const lease = await store.acquire(id);
    await store.write(id, record);
    if (lease !== null) await store.release(lease);
    await expect(append(store, step("a", "1"))).rejects.toMatchObject({ code: "NOT_HELD" });
  });

  test("a line that a crash has cut off at any byte was never added, and the next one stands alone", async () => {
    const lease = await store.acquire(id);
    await store.write(id, record);
    await append(store, step("a", "1"));
    const before = await readFile(await stepFile());
    await append(store, step("b", "\u{1f6a2} 2"));
    const whole = await readFile(await stepFile());
    if (lease !== null) await store.release(lease);
    for (let length = before.length; length < whole.length; length += 1) {
      for (const torn of [whole.subarray(0, length), Buffer.concat([whole.subarray(0, length), Buffer.alloc(7)])]) {
        await writeFile(await stepFile(), torn);
        const next = fileStore(directory);
        expect(await seenBy(next)).toEqual([["a", "1"]]);
        const held = await next.acquire(id);
        await append(next, step("c", "3"));
        expect(await seenBy(fileStore(directory))).toEqual([
          ["a", "1"],
          ["c", "3"],
        ]);
        if (held !== null) await next.release(held);
      }
    }
  });

  test("blocks that were not written under a line end were never added", async () => {
    await store.acquire(id);
    await store.write(id, record);
    await append(store, step("a", "1"));
    await writeFile(await stepFile(), `${await readFile(await stepFile(), "utf8")}${"\0".repeat(20)}"}\n`);
    expect(await seenBy(fileStore(directory))).toEqual([["a", "1"]]);
    const next = fileStore(directory);
    expect(await seenBy(next)).toEqual([["a", "1"]]);
  });

  test("a line in the middle that is none is CORRUPT, never left out", async () => {
    await store.acquire(id);
    await store.write(id, record);
    await append(store, step("a", "1"));
    await writeFile(await stepFile(), `{"name":"x"\n${await readFile(await stepFile(), "utf8")}`);
    await expect(store.read(id)).rejects.toMatchObject({ code: "CORRUPT" });
    await expect(allEntries(store)).rejects.toMatchObject({ code: "CORRUPT" });
  });

  test("what a process left that died while it wrote the record anew is swept, and not read", async () => {
    const lease = await store.acquire(id);
    await store.write(id, record);
    await append(store, step("a", "1"));
    const [old, text] = [await stepFile(), await readFile(await stepFile(), "utf8")];
    await store.write(id, record);
    await append(store, step("b", "2"));
    await writeFile(old, text);
    if (lease !== null) await store.release(lease);
    const next = fileStore(directory);
    expect(await seenBy(next)).toEqual([["b", "2"]]);
    await next.acquire(id);
    expect((await readdir(directory)).filter((name) => name.endsWith(".steps"))).toHaveLength(1);
    expect(await seenBy(next)).toEqual([["b", "2"]]);
  });

  test("a record of an earlier version gets them too", async () => {
    await store.acquire(id);
    await store.write(id, record);
    const [name = ""] = (await readdir(directory)).filter((file) => file.endsWith(".json"));
    await writeFile(
      join(directory, name),
      JSON.stringify({ format: 1, id, record: { ...record, steps: [step("a", "1")] } }),
    );
    const next = fileStore(directory);
    expect(await seenBy(next)).toEqual([["a", "1"]]);
    // As after its process has died.
    await rm(join(directory, name.replace(".json", ".lease")));
    await next.acquire(id);
    await append(next, step("b", "2"));
    expect(await seenBy(fileStore(directory))).toEqual([
      ["a", "1"],
      ["b", "2"],
    ]);
  });
});

describe("launch on files", () => {
  test("flushes four times, and not at all for a key that is known", async () => {
    const provider = memory({ owner: "tests" });
    await launch(provider, { key: "first" }, { store });
    cost.flushes = 0;
    const { id } = await launch(provider, { key: "a" }, { store });
    expect(cost.flushes).toBe(4);
    expect((await launch(provider, { key: "a" }, { store })).id).toBe(id);
    expect(cost.flushes).toBe(4);
  });
});
