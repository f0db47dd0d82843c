// `soak.ts --count N --seed S`: for each of N keys two processes spawn it at once and are killed with SIGKILL at random
// moments; then it is spawned again, and the real API server is asked whether exactly one pod and its one Secret are there.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { nameFor } from "@slipway/core";
import { seededRandom } from "@slipway/provider-kit/emulator";
import { z } from "zod";
import { kubernetes } from "../src/index.ts";
import { type Admin, adminOf } from "../test/cluster/admin.ts";
import { kubeconfigOf } from "../test/cluster/kubeconfig.ts";
import { newNamespace } from "../test/cluster/namespaces.ts";
import { startCluster } from "../test/cluster/test-cluster.ts";
import { OWNER, soakRequest } from "./soak-request.ts";

const PROGRAM = fileURLToPath(new URL("./spawn-once.ts", import.meta.url));
const LONGEST_LIFE_MS = 1_000;
const GONE_MS = 30_000;

const { values } = parseArgs({
  options: { count: { type: "string", default: "20" }, seed: { type: "string", default: "1" } },
});
const [count, seed] = [Number(values.count), Number(values.seed)];
const random = seededRandom(seed);

const objects = z.object({
  items: z.array(
    z.object({
      metadata: z.object({
        name: z.string(),
        uid: z.string(),
        ownerReferences: z.array(z.object({ uid: z.string() })).optional(),
      }),
    }),
  ),
});

async function killedSpawn(kubeconfig: string, key: string): Promise<void> {
  const child = spawn(process.execPath, ["--conditions=@slipway/source", PROGRAM, kubeconfig, key], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const ended = once(child, "close");
  // It says so when it is about to call `spawn`.
  const ready = once(child.stdout, "data");
  await Promise.race([ready, ended]);
  await Promise.race([pause(random.next() * LONGEST_LIFE_MS), ended]);
  child.kill("SIGKILL");
  await ended;
}

/** The pods of the namespace, and how many Secrets the pod of the key owns. */
async function held(admin: Admin, namespace: string, key: string) {
  const read = async (collection: string) =>
    objects.parse((await admin.request("GET", `api/v1/namespaces/${namespace}/${collection}`)).json).items;
  const pods = await read("pods");
  const pod = pods.find(({ metadata }) => metadata.name === nameFor(OWNER, key))?.metadata;
  const isOwned = (uid: string): boolean => uid === pod?.uid;
  const secrets = (await read("secrets")).filter(
    ({ metadata }) => metadata.ownerReferences?.some(({ uid }) => isOwned(uid)) === true,
  );
  return { pods: pods.length, uid: pod?.uid, secrets: secrets.length };
}

/** What is wrong with what the server holds of one key; null if it is one pod and its one Secret. */
async function wrongWith(admin: Admin, namespace: string, key: string, id: string): Promise<string | null> {
  const { pods, uid, secrets } = await held(admin, namespace, key);
  if (pods !== 1 || uid === undefined) return `${pods} pods are there`;
  if (!id.endsWith(`/${uid}`)) return "the pod is not the one that spawn returned";
  return secrets === 1 ? null : `the pod owns ${secrets} Secrets`;
}

const cluster = await startCluster();
const admin = adminOf(cluster);
const home = await mkdtemp(path.join(tmpdir(), "slipway-soak-"));
const failures: string[] = [];
const leftBehind = new Map<string, number>();
try {
  const namespace = await newNamespace(cluster, admin);
  const kubeconfig = path.join(home, "config");
  await writeFile(kubeconfig, kubeconfigOf(cluster, cluster.tenantToken, namespace), { mode: 0o600 });
  const provider = kubernetes({ owner: OWNER, kubeconfig });
  for (let at = 0; at < count; at += 1) {
    const key = `key-${at}`;
    await Promise.all([killedSpawn(kubeconfig, key), killedSpawn(kubeconfig, key)]);
    const { pods, secrets } = await held(admin, namespace, key);
    const left = pods === 0 ? "nothing" : secrets === 0 ? "a pod without its Secret" : "a pod and its Secret";
    leftBehind.set(left, (leftBehind.get(left) ?? 0) + 1);
    const { id } = await provider.spawn(soakRequest(key));
    const wrong = await wrongWith(admin, namespace, key, id);
    if (wrong !== null) failures.push(`${key}: ${wrong}`);
    await provider.terminate(id);
    for (const until = performance.now() + GONE_MS; (await provider.get(id)) !== null; ) {
      if (performance.now() > until) throw new Error(`${id} is still there`);
      await pause(20);
    }
  }
  if ((await provider.list({ owner: "*" })).length > 0) failures.push("something is left");
} finally {
  await cluster.close();
  await rm(home, { recursive: true, force: true });
}
for (const failure of failures) console.error(failure);
console.log(`the kills left ${[...leftBehind].map(([what, times]) => `${what} ${times} times`).join(", ")}`);
console.log(`slipway soak:kubernetes: ${count - failures.length} passed, ${failures.length} failed`);
process.exitCode = failures.length === 0 ? 0 : 1;
