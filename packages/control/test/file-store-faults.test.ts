import type * as Files from "node:fs/promises";
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { fileStore, isStoreError, type LaunchRecord, type Store } from "../src/index.ts";

/** Ends of paths that cannot be removed now. */
const stuck = vi.hoisted(() => new Set<string>());

vi.mock("node:fs/promises", async (original) => {
  const files = await original<typeof Files>();
  return {
    ...files,
    rm: async (path: string, options?: Parameters<typeof files.rm>[1]) => {
      for (const end of stuck) if (path.endsWith(end)) throw Object.assign(new Error("input/output"), { code: "EIO" });
      await files.rm(path, options);
    },
  };
});

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "slipway-faults-"));
});
afterEach(async () => {
  stuck.clear();
  await rm(directory, { recursive: true, force: true });
});

const record: LaunchRecord = {
  kind: "launch",
  identity: { provider: "p", account: "", owner: "o", key: "k" },
  state: "launched",
  specHash: "sha256:0",
  attempt: 1,
  at: "2026-01-01T00:00:00.000Z",
  placement: 0,
  instanceId: "i-1",
  expected: {},
  gone: [],
};

async function mustAcquire(store: Store, id: string) {
  const lease = await store.acquire(id);
  if (lease === null) throw new Error(`${id} is held`);
  return lease;
}

test("a lease that could not be given back is taken again by its holder, who alone may write then", async () => {
  const store = fileStore(directory);
  const lease = await mustAcquire(store, "id");
  stuck.add(".lease");
  const error: unknown = await store.release(lease).catch((reason: unknown) => reason);
  expect(isStoreError(error, "IO")).toBe(true);
  await expect(store.write("id", record)).rejects.toMatchObject({ code: "NOT_HELD" });
  expect(await fileStore(directory).acquire("id")).toBeNull();
  const again = await mustAcquire(store, "id");
  expect(again.token).not.toBe(lease.token);
  expect(await store.acquire("id")).toBeNull();
  await store.write("id", record);
});

test("a lease that could not be given back is free for others as soon as its holder can remove it", async () => {
  const store = fileStore(directory);
  const lease = await mustAcquire(store, "id");
  stuck.add(".lease");
  await store.release(lease).catch(() => undefined);
  stuck.clear();
  await mustAcquire(store, "another");
  await mustAcquire(fileStore(directory), "id");
});

test("a draft that cannot be removed does not lose the lease that was taken", async () => {
  const store = fileStore(directory);
  stuck.add(".draft");
  const lease = await mustAcquire(store, "id");
  await store.write("id", record);
  await store.release(lease);
  await mustAcquire(fileStore(directory), "id");
  expect((await readdir(directory)).some((name) => name.endsWith(".json"))).toBe(true);
});
