// The main job, as a program of yours would do it: launch, wait, look, run, copy, fail on purpose, end, and prove that
// nothing is left. It needs this machine only. Exit code 0: everything was as it should be, and nothing is left.
import { createHash } from "node:crypto";
import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileStore, launch, terminateAndConfirm, waitForBootstrap, waitForStatus } from "@slipway/control";
import { isProviderError } from "@slipway/core";
import { local } from "@slipway/provider-local";
import { leftoversIn, processesOf, removed } from "./proof.mjs";
import { fact, failed, headline, step, succeeded } from "./screen.mjs";

const GREETING = "All that is launched is found again.\n";

// Run inside each instance, at its first boot. What it prints cannot be known out here.
const BOOTSTRAP = `
set -eu
cd "\${SLIPWAY_ROOT%/}/srv"
{
  echo "host=$(uname -n)"
  echo "sha256=$( (sha256sum greeting.txt || shasum -a 256 greeting.txt) 2>/dev/null | cut -d ' ' -f 1)"
  [ ! -r /proc/1/comm ] || echo "pid1=$(cat /proc/1/comm)"
} > facts.txt
cat facts.txt
`;

const interrupted = new AbortController();
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) {
  process.on(signal, () => interrupted.abort(new DOMException("interrupted", "AbortError")));
}

const directory = mkdtempSync(join(tmpdir(), "slipway-demo-"));
const provider = local({ owner: "demo", stateDirectory: join(directory, "local") });
const store = fileStore(join(directory, "launch"));
const begun = performance.now();

let exitCode = 0;
try {
  headline("Slipway on this machine");
  await mainJob(interrupted.signal);
} catch (error) {
  exitCode = interrupted.signal.aborted ? 130 : 1;
  failed(interrupted.signal.aborted ? "interrupted: ending what runs" : describe(error));
}
try {
  await endAll();
} catch (error) {
  exitCode ||= 1;
  failed(describe(error));
}
process.exitCode = exitCode;

async function mainJob(signal) {
  const instances = await step("launch two instances", () =>
    all(["first", "second"].map((key) => launch(provider, requestFor(key), { store, signal }))),
  );
  for (const { id, key } of instances) fact(key, id);

  const again = await step("launch the first once more: the same key is the same instance", () =>
    launch(provider, requestFor("first"), { store, signal }),
  );
  same("the id", again.id, instances[0].id);

  const ready = await step("wait until they run and their bootstrap has succeeded", () =>
    all(
      instances.map(async ({ id }) => {
        await waitForStatus(provider, id, "running", { signal });
        return waitForBootstrap(provider, id, { signal, timeoutMs: 60_000 });
      }),
    ),
  );
  const [first] = ready;

  const listed = await step("list them", () => provider.list({}, { signal }));
  for (const one of listed)
    fact(one.key, `${one.status}, bootstrap ${one.bootstrap.state} (exit ${one.bootstrap.exitCode})`);
  same("the number of instances", listed.length, 2);

  // The exact provider, not a projected one: its instances say how they are kept apart.
  const got = await step("get the first by its id", () => provider.get(first.id, { signal }));
  fact("isolation", got.isolation);

  const facts = await step("run a command inside it: what did the bootstrap find?", () => factsIn(got.id, signal));
  fact("host name", facts.host);
  fact("hash of the injected file", `${facts.sha256.slice(0, 16)}…`);
  // Without a pid namespace, pid 1 is this machine's own.
  if (got.isolation === "bubblewrap") fact("name of pid 1", facts.pid1);
  same("the hash computed inside", facts.sha256, createHash("sha256").update(GREETING).digest("hex"));

  const snapshot = await step("take a snapshot of it", async () => {
    const taken = await provider.createSnapshot(first.id, { key: "of-first", signal });
    same("the snapshot's status", await provider.getSnapshotStatus(taken.id, { signal }), "available");
    return taken;
  });
  const third = await step("spawn a third from the snapshot", async () => {
    const { id } = await launch(provider, { key: "third", fromSnapshot: snapshot.id }, { store, signal });
    return waitForStatus(provider, id, "running", { signal });
  });
  fact("third", third.id);
  same("the hash that it has from the first", (await factsIn(third.id, signal)).sha256, facts.sha256);

  const error = await step("ask for something else under a key that is taken", () =>
    launch(provider, { ...requestFor("first"), labels: { tier: "other" } }, { store, signal }).catch(
      (reason) => reason,
    ),
  );
  if (!isProviderError(error, "CONFLICT")) throw new Error("that should have been refused with CONFLICT");
  fact("code", error.code);
  fact("effect", `${error.effect} (nothing was changed)`);
  fact("message", error.message);
  fact("hint", error.hint);
}

/** As Promise.all, but a failure waits until the others are done too: what they still make must be seen and ended. */
async function all(promises) {
  const settled = await Promise.allSettled(promises);
  const rejected = settled.find(({ status }) => status === "rejected");
  if (rejected !== undefined) throw rejected.reason;
  return settled.map(({ value }) => value);
}

function requestFor(key) {
  return { key, bootstrap: { script: BOOTSTRAP, files: [{ path: "/srv/greeting.txt", content: GREETING }] } };
}

async function factsIn(id, signal) {
  const argv = ["sh", "-c", 'cat "${SLIPWAY_ROOT%/}/srv/facts.txt"'];
  const { exitCode, stdout, stderr } = await provider.exec(id, argv, { signal });
  if (exitCode !== 0) throw new Error(`exec in ${id} ended with exit code ${exitCode}: ${stderr}`);
  return Object.fromEntries(
    stdout
      .trim()
      .split("\n")
      .map((line) => line.split("=")),
  );
}

/** Also after a failure and an interrupt, and so without their signal. */
async function endAll() {
  const instances = await provider.list();
  const processes = processesOf(directory);
  await step(`terminate all ${instances.length}, and wait until they are gone`, async () => {
    await all(instances.map(({ id }) => terminateAndConfirm(provider, id, { timeoutMs: 30_000 })));
    for (const { id } of await provider.listSnapshots()) await provider.deleteSnapshot(id);
  });

  headline("Is anything left? The process table and the disk are asked, not Slipway");
  fact("processes seen while they ran", String(processes.length));
  if (instances.length > 0 && processes.length === 0)
    throw new Error("no process was seen, so their end proves nothing");
  nothing("processes", processesOf(directory, processes));
  nothing("directories of instances and snapshots", leftoversIn(join(directory, "local")));
  nothing("directories of this demo", removed(directory) ? [] : [directory]);
  if (exitCode === 0) succeeded(`Done in ${((performance.now() - begun) / 1000).toFixed(1)} s; nothing is left.`);
}

function nothing(what, left) {
  fact(`${what} left`, String(left.length));
  if (left.length > 0) throw new Error(`${left.length} ${what} left:\n${left.join("\n")}`);
}

function same(what, actual, expected) {
  if (actual !== expected) throw new Error(`${what} should be ${expected}, and is ${actual}`);
}

function describe(error) {
  if (!isProviderError(error)) return error instanceof Error ? error.message : String(error);
  const hint = error.hint === undefined ? "" : `\n  hint: ${error.hint}`;
  return `${error.code} (${error.provider} ${error.operation}, effect ${error.effect}): ${error.message}${hint}`;
}
