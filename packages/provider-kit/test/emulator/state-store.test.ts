import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { diskStateStore, memoryStateStore, type StateStore } from "@slipway/provider-kit/emulator";
import { afterAll, beforeEach, describe, expect, test } from "vitest";

const SOURCE = fileURLToPath(new URL("../../src/emulator/state-store.ts", import.meta.url));
const folders: string[] = [];
let path: string;
beforeEach(() => {
  const folder = mkdtempSync(join(tmpdir(), "slipway-state-"));
  folders.push(folder);
  path = join(folder, "deep", "state.json");
});
afterAll(() => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});

interface Counts {
  n: number;
  by: Record<string, number>;
}
const initial = (): Counts => ({ n: 0, by: {} });

describe.each([
  ["memory", (): StateStore<Counts> => memoryStateStore(initial)],
  ["disk", (): StateStore<Counts> => diskStateStore(path, { initial })],
])("%s", (_, make) => {
  test("gives copies, and stores what the change did", async () => {
    const store = make();
    expect(await store.read()).toEqual({ n: 0, by: {} });
    expect(await store.update((state) => (state.n = 3))).toBe(3);
    (await store.read()).n = 99;
    expect((await store.read()).n).toBe(3);
  });

  test("a change that throws stores nothing, and stops nobody", async () => {
    const store = make();
    const failing = store.update((state) => {
      state.n = 5;
      throw new Error("no");
    });
    const working = store.update((state) => (state.n += 1));
    await expect(failing).rejects.toThrow("no");
    expect(await working).toBe(1);
  });

  test("changes do not come between one another, also those that wait", async () => {
    const store = make();
    await Promise.all(
      Array.from({ length: 20 }, () =>
        store.update(async (state) => {
          const seen = state.n;
          await new Promise((resolve) => setImmediate(resolve));
          state.n = seen + 1;
        }),
      ),
    );
    expect((await store.read()).n).toBe(20);
  });
});

describe("disk", () => {
  test("two stores over one file see each other", async () => {
    const [one, other] = [diskStateStore(path, { initial }), diskStateStore(path, { initial })];
    await Promise.all(
      Array.from({ length: 10 }, (_, at) => (at % 2 === 0 ? one : other).update((state) => (state.n += 1))),
    );
    expect((await other.read()).n).toBe(10);
    expect(readdirSync(join(path, "..")).filter((name) => !name.includes(".lock."))).toEqual(["state.json"]);
  });

  test("a file that is no state is named, and left as it is", async () => {
    const store = diskStateStore(path, { initial });
    await store.update((state) => (state.n = 1));
    writeFileSync(path, "{ torn");
    await expect(store.read()).rejects.toThrow(path);
    await expect(store.update((state) => (state.n = 2))).rejects.toThrow(path);
    expect(readFileSync(path, "utf8")).toBe("{ torn");
    const strict = diskStateStore(path, {
      initial,
      parse: () => {
        throw new Error("unknown version");
      },
    });
    writeFileSync(path, "{}");
    await expect(strict.read()).rejects.toThrow(path);
  });

  test("waits for a holder that lives, and says so when it has waited enough", async () => {
    const holder = child(
      `await store.update(async () => { console.log("held"); await new Promise(() => setInterval(() => {}, 1000)); });`,
    );
    await said(holder, "held");
    const store = diskStateStore(path, { initial, lockTimeoutMs: 100 });
    await expect(store.update((state) => (state.n += 1))).rejects.toThrow("locked by another process");
    await killed(holder);
    expect(await store.update((state) => (state.n += 1))).toBe(1);
  });

  test("many processes count without losing one, while others are killed in the middle", async () => {
    const counters = Array.from({ length: 3 }, () =>
      child(`for (let i = 0; i < 40; i += 1) await store.update((state) => { state.n += 1; state.by[process.pid] = (state.by[process.pid] ?? 0) + 1; });
             console.log("done");`),
    );
    const victims = Array.from({ length: 3 }, () =>
      child(
        `console.log("on"); for (;;) await store.update((state) => { state.n += 1; state.by.victims = (state.by.victims ?? 0) + 1; });`,
      ),
    );
    const done = counters.map((counter) => said(counter, "done"));
    await Promise.all(victims.map((victim) => said(victim, "on")));
    await Promise.race(done);
    for (const victim of victims) await killed(victim);
    await Promise.all(done);
    const store = diskStateStore(path, { initial });
    const { n, by } = await store.update((state) => structuredClone(state));
    expect(Object.values(by).reduce((sum, count) => sum + count, 0)).toBe(n);
    expect(
      Object.entries(by)
        .filter(([name]) => name !== "victims")
        .map(([, count]) => count),
    ).toEqual([40, 40, 40]);
    const left = readdirSync(join(path, "..")).filter((name) => name !== "state.json");
    expect(left).toEqual([]);
  }, 120_000);
});

const children: ChildProcess[] = [];
afterAll(() => {
  for (const each of children) each.kill("SIGKILL");
});

function child(code: string): ChildProcess {
  const program = `
    import { diskStateStore } from ${JSON.stringify(SOURCE)};
    const store = diskStateStore(${JSON.stringify(path)}, { initial: () => ({ n: 0, by: {} }) });
    ${code}`;
  const flags = ["--conditions=@slipway/source", "--input-type=module", "--disable-warning=ExperimentalWarning"];
  const started = spawn(process.execPath, [...flags, "--eval", program], { stdio: ["ignore", "pipe", "inherit"] });
  children.push(started);
  return started;
}

function said(process: ChildProcess | undefined, word: string): Promise<void> {
  return new Promise((resolve, reject) => {
    if (process === undefined || process.exitCode !== null) reject(new Error(`it has ended (${process?.exitCode})`));
    process?.stdout?.on("data", (chunk: Buffer) => {
      if (chunk.toString().includes(word)) resolve();
    });
    process?.on("exit", (code) => reject(new Error(`it ended (${code}) before it said ${word}`)));
  });
}

async function killed(process: ChildProcess): Promise<void> {
  const ended = new Promise((resolve) => process.once("exit", resolve));
  process.kill("SIGKILL");
  await ended;
}
