import type * as Files from "node:fs/promises";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test, vi } from "vitest";
import { fileStore } from "../src/index.ts";

/** What a removal of a lease's file waits for, so that another call comes in between. */
let gate: Promise<void> | undefined;
vi.mock("node:fs/promises", async (original) => {
  const files = await original<typeof Files>();
  const removal: typeof files.rm = async (path, options) => {
    const waitsFor = String(path).endsWith(".lease") ? gate : undefined;
    gate = undefined;
    await waitsFor;
    await files.rm(path, options);
  };
  return { ...files, rm: removal };
});

test("a lease that is taken while the one before it is given back is not removed with that", async () => {
  const directory = await mkdtemp(join(tmpdir(), "slipway-handover-"));
  const store = fileStore(directory);
  const first = await store.acquire("a");
  const open = Promise.withResolvers<void>();
  gate = open.promise;
  const releasing = first === null ? Promise.resolve() : store.release(first);
  // It may wait for the removal, or find the lease still there; it must not have one that is removed afterwards.
  let hasTaken = false;
  const taking = store.acquire("a").finally(() => {
    hasTaken = true;
  });
  for (const until = performance.now() + 500; !hasTaken && performance.now() < until; ) {
    await new Promise((resolve) => setImmediate(resolve));
  }
  open.resolve();
  await releasing;
  const second = await taking;
  const third = await fileStore(directory).acquire("a");
  expect([second, third].filter((lease) => lease !== null).length).toBe(1);
  await rm(directory, { recursive: true });
});
