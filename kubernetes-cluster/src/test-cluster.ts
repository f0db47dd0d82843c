import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { commandRunner } from "@slipway/provider-kit/command";
import { freePort } from "@slipway/provider-kit/emulator";
import { z } from "zod";
import { type Admin, adminOf } from "./admin.ts";
import { binaries } from "./binaries.ts";
import { writeCertificates } from "./certificates.ts";
import {
  apiServerArguments,
  controllerManagerArguments,
  etcdArguments,
  type Ports,
  schedulerArguments,
} from "./control-plane.ts";
import { kubeconfigOf } from "./kubeconfig.ts";
import { HOME_PREFIX, removeLeftovers } from "./leftovers.ts";
import { missingForNode, NODE_GPUS, startNode } from "./node/node.ts";
import { addStorage, removeFoldersOfVolumes } from "./storage.ts";

/** For the tests: which minor version the servers are, as `1.36`; the pinned one if absent. */
export const MINOR_VARIABLE = "SLIPWAY_KUBERNETES_MINOR";

const DAY_MS = 86_400_000;
const START_MS = 120_000;

/** A running cluster, as tests reach it. Plain data: it passes to their processes. */
export interface TestCluster {
  readonly url: string;
  readonly ca: string;
  /** May do everything. */
  readonly adminToken: string;
  /** A user named `tenant`, who may do what a RoleBinding gives. */
  readonly tenantToken: string;
  readonly version: string;
  /** The server's own word on each request of `tenant`, one JSON line each. */
  readonly auditLog: string;
  /** For kubectl: `kubectl[0]` is the program. The administrator's. */
  readonly kubectl: readonly string[];
  /** Where the node's containerd listens. */
  readonly containerd: string;
}

export interface RunningCluster extends TestCluster {
  /** Kills the API server, does `whileDown`, and starts it anew with the same state. */
  readonly restartApiServer: (whileDown: () => Promise<void>) => Promise<void>;
  readonly close: () => Promise<void>;
}

/**
 * etcd and all servers of Kubernetes on the loopback, and one node with a kubelet and containerd in namespaces of its own: of the
 * pinned version, or of another minor one, as `1.36`. Rejects with the reason where this machine cannot run a node.
 */
export async function startCluster(minor?: string): Promise<RunningCluster> {
  const missing = missingForNode();
  if (missing !== null) throw new Error(`no test cluster: ${missing}`);
  const { etcd, kube, version } = await binaries(minor);
  await removeLeftovers();
  const home = await mkdtemp(path.join(tmpdir(), `${HOME_PREFIX}${process.pid}-`));
  const stop = new AbortController();
  const running: Promise<unknown>[] = [];
  const closers: (() => Promise<void>)[] = [
    async () => {
      stop.abort();
      await Promise.all(running);
      await rm(home, { recursive: true, force: true });
    },
  ];
  // Last started, first ended. What one cannot end does not keep the others from it: the servers would go on.
  const close = async (): Promise<void> => {
    const failures: unknown[] = [];
    for (const one of closers.splice(0).toReversed()) await one().catch((error: unknown) => failures.push(error));
    if (failures.length > 0) throw new AggregateError(failures, `the cluster left something: ${failures.join("; ")}`);
  };
  try {
    await writeCertificates(home);
    const tokens = { admin: crypto.randomUUID(), tenant: crypto.randomUUID() };
    const rows = [`${tokens.admin},admin,admin,"system:masters"`, `${tokens.tenant},tenant,tenant`];
    await writeFile(path.join(home, "tokens.csv"), `${rows.join("\n")}\n`, { mode: 0o600 });
    const faults: string[] = [];
    const start = (program: string, args: readonly string[], own?: AbortSignal): Promise<void> => {
      const signal = own === undefined ? stop.signal : AbortSignal.any([stop.signal, own]);
      const run = commandRunner({ defaults: { signal, timeoutMs: DAY_MS, maxOutputBytes: 2 ** 30 } });
      // It ends with this process, however that ends.
      const ended = run("setpriv", ["--pdeathsig", "KILL", program, ...args], { cwd: home }).then(
        ({ exitCode, stderr }) => `${program} ${args[0]} ended with ${exitCode}: ${stderr.slice(-2_000)}`,
        (error: unknown) => String(error),
      );
      const told = ended.then((why) => {
        if (own?.aborted !== true) faults.push(why);
      });
      running.push(told);
      return told;
    };
    const ports: Ports = { etcd: await freePort(), etcdPeer: await freePort(), apiServer: await freePort() };
    void start(etcd, etcdArguments(home, ports));
    const serverArguments = await apiServerArguments(home, ports);
    const startServer = () => {
      const own = new AbortController();
      const ended = start(kube, serverArguments, own.signal);
      return async (): Promise<void> => {
        own.abort();
        await ended;
      };
    };
    let stopServer = startServer();
    const url = `https://127.0.0.1:${ports.apiServer}/`;
    const ca = await readFile(path.join(home, "ca.crt"), "utf8");
    const reached = { url, ca, adminToken: tokens.admin };
    const admin = adminOf(reached);
    const untilReady = () =>
      eventually("the API server", faults, async () => (await admin.request("GET", "readyz")).status === 200);
    await untilReady();
    const kubeconfig = path.join(home, "admin.json");
    await writeFile(kubeconfig, kubeconfigOf(reached, tokens.admin, "default"), { mode: 0o600 });
    void start(kube, controllerManagerArguments(home, kubeconfig));
    void start(kube, schedulerArguments(kubeconfig));
    closers.push(() => removeFoldersOfVolumes(admin));
    await addStorage(admin, path.join(home, "volumes"));
    const kubeletPort = await freePort();
    const onEnd = (why: string): unknown => faults.push(why);
    const node = await startNode({ home, kube, kubeconfig, apiServerPort: ports.apiServer, kubeletPort, onEnd });
    closers.push(node.close);
    await eventually("the node", faults, () => isNodeReady(admin));
    return {
      ...{ ...reached, version, tenantToken: tokens.tenant, containerd: node.containerd, close },
      restartApiServer: async (whileDown) => {
        await stopServer();
        try {
          await whileDown();
        } finally {
          stopServer = startServer();
        }
        await untilReady();
      },
      auditLog: path.join(home, "audit.log"),
      kubectl: [kube, "kubectl", `--kubeconfig=${kubeconfig}`, `--cache-dir=${path.join(home, "kubectl")}`],
    };
  } catch (error) {
    // Why it did not start counts more than what it has left.
    await close().catch(() => undefined);
    throw error;
  }
}

const nodeStatus = z.object({
  status: z.object({
    allocatable: z.record(z.string(), z.string()),
    conditions: z.array(z.object({ type: z.string(), status: z.string() })),
  }),
});

async function isNodeReady(admin: Admin): Promise<boolean> {
  const parsed = nodeStatus.safeParse((await admin.request("GET", "api/v1/nodes/localhost")).json);
  if (!parsed.success) return false;
  const { allocatable, conditions } = parsed.data.status;
  const isReady = conditions.some(({ type, status }) => type === "Ready" && status === "True");
  return isReady && allocatable["nvidia.com/gpu"] === String(NODE_GPUS.length);
}

/** A server in a process of its own is ready when it says so. */
async function eventually(what: string, faults: readonly string[], isThere: () => Promise<boolean>): Promise<void> {
  const until = performance.now() + START_MS;
  while (performance.now() < until) {
    if (faults.length > 0) throw new Error(`the cluster did not start: ${faults.join("; ")}`);
    if (await isThere().catch(() => false)) return;
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
  throw new Error(`${what} was not ready in time`);
}
