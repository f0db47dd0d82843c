import { mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { allEntries, fileStore, type LaunchRecord, launchId, type Store, sqliteStore } from "../src/index.ts";
import { type Processes, systemProcesses } from "../src/store/process-identity.ts";
import { startChild } from "./children/child-process.ts";

let root: string;
let directory: string;
let file: string;
const stores: Store[] = [];

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), "slipway-move-"));
  directory = join(root, "launch");
  file = join(root, "launch.db");
});
afterEach(async () => {
  for (const store of stores.splice(0)) await store.close?.();
  await rm(root, { recursive: true });
});

function open(): Store {
  const store = sqliteStore(file, { moveFrom: directory });
  stores.push(store);
  return store;
}

function recordOf(key: string): LaunchRecord {
  const at = "2026-01-01T00:00:00.000Z";
  const identity = { provider: "p", account: "", owner: "o", key };
  const rest = { specHash: "sha256:0", attempt: 1, placement: 0, expected: {}, gone: [] };
  return { kind: "launch", identity, state: "launched", at, instanceId: `i-${key}`, ...rest };
}

async function put(store: Store, key: string): Promise<string> {
  const id = launchId(recordOf(key).identity);
  const lease = await store.acquire(id);
  if (lease === null) throw new Error(`the lease of ${key} is taken`);
  await store.write(id, recordOf(key));
  await store.release(lease);
  return id;
}

const keysIn = async (store: Store): Promise<readonly string[]> =>
  (await allEntries(store)).map(({ record }) => (record.kind === "launch" ? record.identity.key : "")).sort();

test("the records of a directory are moved, and fileStore refuses it from then on", async () => {
  for (const key of ["a", "b"]) await put(fileStore(directory), key);
  expect(await keysIn(open())).toEqual(["a", "b"]);
  expect(await keysIn(open())).toEqual(["a", "b"]);
  await expect(fileStore(directory).acquire("x")).rejects.toMatchObject({ code: "UNUSABLE" });
  await expect(fileStore(directory).read("x")).rejects.toMatchObject({ code: "UNUSABLE" });
});

test("where there is no directory yet, no older program can begin a second store there", async () => {
  expect(await keysIn(open())).toEqual([]);
  await expect(fileStore(directory).acquire("x")).rejects.toMatchObject({ code: "UNUSABLE" });
});

test("a directory in which a process works is not moved, and is once that has given its lease back", async () => {
  const files = fileStore(directory);
  const lease = await files.acquire("x");
  if (lease === null) throw new Error("the lease is taken");
  await expect(open().read("x")).rejects.toMatchObject({ code: "UNAVAILABLE", retryable: true });
  await files.release(lease);
  expect(await open().read("x")).toBeNull();
});

test("a lease of another container holds up the move, unless the user says that nobody else is there", async () => {
  const id = await put(fileStore(directory), "a");
  // As a container that was killed leaves it on its volume.
  await fileStore(directory).acquire(id);
  const processes: Processes = { ...systemProcesses(), stateOf: async () => "foreign" };
  const openWith = (foreignLeases: "held" | "dead"): Store => {
    const store = sqliteStore(file, { moveFrom: directory, foreignLeases, processes });
    stores.push(store);
    return store;
  };
  await expect(openWith("held").read(id)).rejects.toMatchObject({ code: "UNAVAILABLE" });
  expect(await openWith("dead").read(id)).toEqual(recordOf("a"));
});

test("a holder that the move did not see can write no more", async () => {
  const files = fileStore(directory);
  const id = await put(files, "a");
  const lease = await files.acquire(id);
  // The holder's lease file is not seen: as if it was taken right after the look.
  await rm(join(root, (files.whereIs?.(id) ?? "").slice(root.length + 1)));
  const store = open();
  expect(await store.read(id)).toEqual(recordOf("a"));
  expect(lease).not.toBeNull();
  await expect(files.write(id, { ...recordOf("a"), attempt: 9 })).rejects.toMatchObject({ code: "UNUSABLE" });
  expect(await store.read(id)).toEqual(recordOf("a"));
});

test("a database in the directory itself is refused before anything is changed", async () => {
  const files = fileStore(directory);
  await put(files, "a");
  const store = sqliteStore(join(directory, "launch.db"), { moveFrom: directory });
  stores.push(store);
  await expect(store.read("x")).rejects.toMatchObject({ code: "UNUSABLE" });
  expect(await keysIn(files)).toEqual(["a"]);
});

test("a record that cannot be read stops the move before anything is changed", async () => {
  const files = fileStore(directory);
  await put(files, "a");
  const spoilt = join(directory, `${"0".repeat(40)}.json`);
  await writeFile(spoilt, "{");
  await expect(open().read("x")).rejects.toMatchObject({ code: "CORRUPT", path: spoilt });
  await rm(spoilt);
  expect(await keysIn(files)).toEqual(["a"]);
});

test("what was forgotten after the move does not come back with a directory that is moved again", async () => {
  const id = await put(fileStore(directory), "a");
  const store = open();
  await store.acquire(id);
  await store.remove(id);
  // As if the process had died before it gave the directory its last name.
  const moved = (await readdir(root)).find((name) => name.includes(".moved-")) ?? "";
  const { rename } = await import("node:fs/promises");
  await rename(join(root, moved), join(root, moved.replace(".moved-", ".moving-")));
  expect(await keysIn(open())).toEqual([]);
});

test("killed at any call that changes the disk, the next one finds every record once", {
  timeout: 120_000,
}, async () => {
  let kills = 0;
  for (let fatal = 1; ; fatal += 1) {
    await rm(root, { recursive: true });
    for (const key of ["a", "b", "c"]) await put(fileStore(directory), key);
    const { signal, output } = await startChild("move-and-die.ts", directory, file, String(fatal)).ended;
    const store = open();
    expect(await keysIn(store), `killed at ${fatal}`).toEqual(["a", "b", "c"]);
    await store.close?.();
    await expect(fileStore(directory).acquire("x")).rejects.toMatchObject({ code: "UNUSABLE" });
    if (signal === null) {
      expect(output).toBe("3\n");
      break;
    }
    kills += 1;
  }
  expect(kills).toBeGreaterThan(20);
});
