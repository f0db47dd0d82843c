// Works with a store on a small disk that fills up, and then on one that is mounted read-only. Prints what it saw as JSON.
import { execFileSync } from "node:child_process";
import { appendFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { fileStore, isStoreError, type LaunchRecord } from "../../src/index.ts";

const mount = process.argv[2] ?? "";
const store = fileStore(join(mount, "store"));
const record = (attempt: number, size: number): LaunchRecord => ({
  kind: "launch",
  identity: { provider: "p", account: "", owner: "o", key: "k" },
  state: "launched",
  specHash: "sha256:0",
  attempt,
  at: "2026-01-01T00:00:00Z",
  placement: 0,
  instanceId: "i-1",
  expected: {},
  gone: [Buffer.alloc(size, "x").toString()],
});
const codeOf = (work: Promise<unknown>): Promise<string> =>
  work.then(
    () => "ok",
    (error: unknown) => (isStoreError(error) && error.hint !== "" ? error.code : String(error)),
  );
const attemptNow = async (): Promise<number | undefined> => {
  const read = await store.read("k");
  return read?.kind === "launch" ? read.attempt : undefined;
};

const main = async (): Promise<void> => {
  const lease = await store.acquire("k");
  if (lease === null) throw new Error("no lease");
  await store.write("k", record(1, 10));
  const filler = join(mount, "filler");
  try {
    for (;;) appendFileSync(filler, Buffer.alloc(4096));
  } catch {
    // Full now.
  }
  const seen: Record<string, unknown> = { fullWrite: await codeOf(store.write("k", record(2, 100_000))) };
  seen["fullAcquire"] = await codeOf(store.acquire("another"));
  seen["kept"] = await attemptNow();
  seen["fullRelease"] = await codeOf(store.release(lease));
  rmSync(filler);
  const again = await store.acquire("k");
  seen["emptiedWrite"] = await codeOf(store.write("k", record(3, 100_000)));
  if (again !== null) await store.release(again);

  execFileSync("mount", ["-o", "remount,ro", mount]);
  seen["readOnlyAcquire"] = await codeOf(store.acquire("k"));
  seen["readOnlyNew"] = await codeOf(fileStore(join(mount, "new")).acquire("k"));
  seen["readOnlyRead"] = await attemptNow();
  console.log(JSON.stringify(seen));
};
void main();
