// `soak.ts --count N --seed S`: for each of N keys two processes spawn it at once and die at random moments; then it is spawned
// again, and the real API server is asked whether exactly one pod and its one Secret are there. Meanwhile the server is
// stopped and started, and refuses requests because there are too many. Then a full quota, and listings under change.
// It fails on what is wrong, and on a kind of thing that it has never met. With `--minor` the contract suite and all of this run on
// the servers of another minor version.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { memoryStore, reconcile } from "@slipway/control";
import { isProviderError, nameFor } from "@slipway/core";
import { seededRandom } from "@slipway/provider-kit/emulator";
import { adminOf, kubeconfigOf, startCluster } from "slipway-kubernetes-cluster";
import { kubernetes } from "../src/index.ts";
import { newNamespace } from "../test/cluster/namespaces.ts";
import { restartUnderCalls } from "./absence.ts";
import { hitsOf } from "./hits.ts";
import { listUnderChange } from "./listings.ts";
import { namespaceState } from "./namespace-state.ts";
import { minorIn, suitePasses } from "./other-minor.ts";
import { OWNER, type SpawnOrder, soakRequest } from "./soak-request.ts";
import { squeeze } from "./squeeze.ts";

const PROGRAM = fileURLToPath(new URL("./spawn-once.ts", import.meta.url));
const PATIENCE_MS = 180_000;
// The requests of a spawn: the pod, its Job, the pod's creation, its Secret, the Secret's creation.
const REQUESTS = 5;
const DEATHS = ["before", "during", "after"] as const;
// The first keys meet each state that a kill can leave, whatever chance does. Every third has a Job.
const FIRST_DEATHS = [
  { at: 1, when: "before" },
  { at: 2, when: "after" },
  { at: 9, when: "before" },
  { at: 2, when: "after" },
] as const;
const END_MS = 30 * 60_000;

const { minor, rest } = await minorIn(process.argv.slice(2));
const { values } = parseArgs({
  args: rest,
  options: {
    count: { type: "string", default: "500" },
    seed: { type: "string", default: "1" },
    pods: { type: "string", default: "1000" },
    at: { type: "string", default: "4" },
  },
});
const [count, pods, width] = [Number(values.count), Number(values.pods), Number(values.at)];
const FAULT_MS = Math.min(20_000, count * 250);
const random = seededRandom(Number(values.seed));

const NOT_THERE = "a call met a server that was not there";
const hits = hitsOf([
  "killed: nothing left",
  "killed: a pod without its Secret",
  "killed: a pod and its Secret",
  "killed: a Job without its pod",
  "the API server was stopped and started",
  NOT_THERE,
  "409: the name was taken by another process",
  "429: too many requests",
  "403: the quota was full",
  "a listing of more than one page",
]);
const failures: string[] = [];

function someDeath(): SpawnOrder["death"] {
  return { at: 1 + Math.floor(random.next() * REQUESTS), when: DEATHS[Math.floor(random.next() * 3)] ?? "before" };
}

/** Until the server, which is stopped now and then, has answered. */
async function patiently<T>(work: () => Promise<T>): Promise<T> {
  for (const until = performance.now() + PATIENCE_MS; ; ) {
    try {
      return await work();
    } catch (error) {
      // A server that has just started has not read its roles yet, and forbids everything.
      const isFinal = isProviderError(error) && !error.retryable && error.code !== "AUTH_ERROR";
      if (isFinal || performance.now() > until) throw error;
      await pause(200);
    }
  }
}

/** What a process of its own has said; null where it was killed before it could. */
async function spawnElsewhere(order: SpawnOrder): Promise<string | null> {
  const child = spawn(process.execPath, ["--conditions=@slipway/source", PROGRAM, JSON.stringify(order)], {
    stdio: ["ignore", "pipe", "inherit"],
    // A thousand of them: they share what they have compiled.
    env: { ...process.env, NODE_COMPILE_CACHE: path.join(home, "compiled") },
  });
  let said = "";
  child.stdout.on("data", (chunk: Buffer) => {
    said += chunk.toString();
  });
  await once(child, "close");
  return said.split("\n")[1] ?? null;
}

const began = performance.now();
if (minor !== undefined && !(await suitePasses(minor))) failures.push(`the suite fails on Kubernetes ${minor}`);
const cluster = await startCluster(minor);
const admin = adminOf(cluster);
const tenant = adminOf({ ...cluster, adminToken: cluster.tenantToken });
const home = await mkdtemp(path.join(tmpdir(), "slipway-soak-"));
try {
  const namespace = await newNamespace(cluster, admin);
  const state = namespaceState(admin, namespace, patiently);
  const kubeconfig = path.join(home, "config");
  await writeFile(kubeconfig, kubeconfigOf(cluster, cluster.tenantToken, namespace), { mode: 0o600 });
  const provider = kubernetes({ owner: OWNER, kubeconfig });
  await state.setQuota(10_000);
  // One that ends by itself writes what the others read.
  await spawnElsewhere({ kubeconfig, key: "first", real: false });
  await provider.terminate((await provider.spawn(soakRequest("first", { real: false }))).id);
  let ended = 0;

  const soakKey = async (at: number): Promise<void> => {
    const key = `key-${at}`;
    const terminateBy = at % 3 === 0 ? new Date(Date.now() + END_MS).toISOString() : undefined;
    const request = { real: at % 10 === 0, terminateBy };
    const orders = [0, 1].map(
      (): SpawnOrder => ({ kubeconfig, key, ...request, death: FIRST_DEATHS[at] ?? someDeath() }),
    );
    // Claims as well: two calls of one key, one claim.
    const sizeBytes = 1024 ** 3;
    const claims = Promise.all(
      (at % 10 === 0 ? [1, 2] : []).map(() => patiently(() => provider.createVolume({ key, sizeBytes }))),
    );
    // It is waited for below.
    claims.catch(() => undefined);
    const said = await Promise.all(orders.map(spawnElsewhere));
    if (said.some((one) => one?.startsWith("failed NETWORK"))) hits.hit(NOT_THERE);
    const left = await state.held(nameFor(OWNER, key));
    hits.hit(
      left.uid === undefined
        ? "killed: nothing left"
        : left.secrets === 0
          ? "killed: a pod without its Secret"
          : "killed: a pod and its Secret",
    );
    if (left.jobs > (left.uid === undefined ? 0 : 1)) hits.hit("killed: a Job without its pod");
    const { id } = await patiently(() => provider.spawn(soakRequest(key, request)));
    const found = await state.held(nameFor(OWNER, key));
    if (found.uid === undefined || !id.endsWith(`/${found.uid}`))
      failures.push(`${key}: its pod is not what spawn returned`);
    if (found.secrets !== 1) failures.push(`${key}: the pod owns ${found.secrets} Secrets`);
    if (terminateBy !== undefined && !found.hasEnd) failures.push(`${key}: the pod has lost its end`);
    const volumes = await claims;
    if (new Set(volumes.map((volume) => volume.id)).size > 1) failures.push(`${key}: it has several volumes`);
    await patiently(() => provider.terminate(id));
    for (const until = performance.now() + PATIENCE_MS; (await patiently(() => provider.get(id))) !== null; ) {
      if (performance.now() > until) throw new Error(`${id} is still there`);
      await pause(50);
    }
    for (const volume of volumes.slice(0, 1)) await patiently(() => provider.deleteVolume(volume.id));
  };

  let next = 0;
  // Before the faults begin: these show what a kill leaves, and nothing else.
  while (next < Math.min(count, FIRST_DEATHS.length)) await soakKey(next++);
  ended = next;
  const workers = Array.from({ length: width }, async () => {
    while (next < count) {
      const at = next++;
      await soakKey(at).catch((error: unknown) => failures.push(`key-${at}: ${String(error)}`));
      ended += 1;
      if (ended % 50 === 0) console.log(`${ended} keys, ${failures.length} wrong`);
    }
  });
  let restarts = 0;
  const faults = (async () => {
    do {
      await pause(FAULT_MS * random.next());
      const key = `absent-${restarts++}`;
      await restartUnderCalls({ cluster, kubeconfig, key, patiently, onMet: () => hits.hit(NOT_THERE) });
      hits.hit("the API server was stopped and started");
      await pause(FAULT_MS * random.next());
      const release = await patiently(() => squeeze(admin, tenant, namespace));
      const refused = Promise.all(Array.from({ length: 8 }, () => patiently(() => provider.list())));
      refused.catch(() => undefined);
      await pause(1_000);
      await patiently(release);
      await refused;
    } while (ended < count);
  })().catch((error: unknown) => failures.push(`the faults ended: ${String(error)}`));
  await Promise.all([...workers, faults]);

  // Many at once, none of which dies: one pod.
  const racers = Array.from({ length: 8 }, () => kubernetes({ owner: OWNER, kubeconfig }));
  const raced = await Promise.all(racers.map((one) => one.spawn(soakRequest("raced", { real: false }))));
  if (new Set(raced.map(({ id }) => id)).size !== 1) failures.push("raced: several pods");
  await provider.terminate(raced[0]?.id ?? "");

  // A full quota refuses before anything is made, and does not hide the pod that is there.
  await state.setQuota(0);
  for (let at = 0; at < Math.min(10, Math.ceil(count / 4)); at += 1) {
    const said = await spawnElsewhere({ kubeconfig, key: `refused-${at}`, real: false });
    if (said === "failed QUOTA_EXCEEDED none") hits.hit("403: the quota was full");
    else failures.push(`refused-${at}: a full quota was told as ${said}`);
  }
  await state.setQuota(10_000);
  const listed = await listUnderChange({ admin, namespace, provider, pods });
  failures.push(...listed.failures);
  for (let page = 0; page < listed.ofSeveralPages; page += 1) hits.hit("a listing of more than one page");

  if ((await provider.list({ owner: "*" })).length > 0) failures.push("a pod is left");
  const { items } = await reconcile(provider, { store: memoryStore() });
  if (items.length > 0) failures.push(`reconcile finds ${items.length}`);
  failures.push(...(await state.leftovers()));
  // Only now: one that is being deleted is shown until its controller has seen it.
  if ((await provider.listVolumes()).length > 0) failures.push("a claim is left");

  for (const line of (await readFile(cluster.auditLog, "utf8")).split("\n")) {
    if (line.includes('"code":429') && line.includes("slipway-provider")) hits.hit("429: too many requests");
    if (line.includes('"reason":"AlreadyExists"')) hits.hit("409: the name was taken by another process");
  }
} finally {
  await cluster.close();
  await rm(home, { recursive: true, force: true });
}
for (const kind of hits.missed()) failures.push(`never met: ${kind}`);
for (const failure of failures) console.error(failure);
console.log(hits.report());
console.log(
  `slipway soak:kubernetes: Kubernetes ${cluster.version}, ${count} keys in ${Math.round((performance.now() - began) / 1_000)} s, ${Math.max(0, count - failures.length)} passed, ${failures.length} failed`,
);
process.exitCode = failures.length === 0 ? 0 : 1;
