import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { commandRunner } from "@slipway/provider-kit/command";
import { adminOf } from "./admin.ts";
import { type Binaries, binaries } from "./binaries.ts";

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
}

export interface RunningCluster extends TestCluster {
  readonly close: () => Promise<void>;
}

/** etcd and the API server on the loopback. Nothing outside their folder is touched. */
export async function startCluster(): Promise<RunningCluster> {
  const programs = await binaries();
  const home = await mkdtemp(path.join(tmpdir(), "slipway-cluster-"));
  const stop = new AbortController();
  const running: Promise<unknown>[] = [];
  const close = async (): Promise<void> => {
    stop.abort();
    await Promise.all(running);
    await rm(home, { recursive: true, force: true });
  };
  try {
    const [etcdPort, peerPort, port] = [await freePort(), await freePort(), await freePort()];
    await writeCertificates(home);
    const tokens = { admin: crypto.randomUUID(), tenant: crypto.randomUUID() };
    const rows = [`${tokens.admin},admin,admin,"system:masters"`, `${tokens.tenant},tenant,tenant`];
    await writeFile(path.join(home, "tokens.csv"), `${rows.join("\n")}\n`, { mode: 0o600 });
    const rules = [{ level: "Metadata", users: ["tenant"], omitStages: ["RequestReceived"] }, { level: "None" }];
    const policy = { apiVersion: "audit.k8s.io/v1", kind: "Policy", rules };
    await writeFile(path.join(home, "audit.json"), JSON.stringify(policy));
    const faults: string[] = [];
    const start = (program: string, args: readonly string[]): void => {
      const run = commandRunner({ defaults: { signal: stop.signal, timeoutMs: DAY_MS, maxOutputBytes: 2 ** 30 } });
      const ended = run(program, args, { cwd: home }).then(
        ({ exitCode, stderr }) => `${program} ended with ${exitCode}: ${stderr.slice(-2_000)}`,
        (error: unknown) => String(error),
      );
      running.push(ended.then((why) => faults.push(why)));
    };
    start(programs.etcd, etcdArguments(home, etcdPort, peerPort));
    start(programs.apiServer, apiServerArguments(home, etcdPort, port));
    const url = `https://127.0.0.1:${port}/`;
    const ca = await readFile(path.join(home, "ca.crt"), "utf8");
    await ready({ url, ca, adminToken: tokens.admin }, faults);
    const { version } = programs;
    const auditLog = path.join(home, "audit.log");
    return { url, ca, adminToken: tokens.admin, tenantToken: tokens.tenant, version, auditLog, close };
  } catch (error) {
    await close();
    throw error;
  }
}

function etcdArguments(home: string, port: number, peerPort: number): readonly string[] {
  const [client, peer] = [`http://127.0.0.1:${port}`, `http://127.0.0.1:${peerPort}`];
  return [
    ...["--data-dir", path.join(home, "etcd"), "--unsafe-no-fsync", "--log-level", "error"],
    ...["--listen-client-urls", client, "--advertise-client-urls", client],
    ...["--listen-peer-urls", peer, "--initial-advertise-peer-urls", peer, "--initial-cluster", `default=${peer}`],
  ];
}

function apiServerArguments(home: string, etcdPort: number, port: number): readonly string[] {
  const file = (name: string): string => path.join(home, name);
  return [
    `--etcd-servers=http://127.0.0.1:${etcdPort}`,
    `--secure-port=${port}`,
    "--bind-address=127.0.0.1",
    "--advertise-address=127.0.0.1",
    "--endpoint-reconciler-type=none",
    `--tls-cert-file=${file("server.crt")}`,
    `--tls-private-key-file=${file("server.key")}`,
    `--cert-dir=${file("certificates")}`,
    `--token-auth-file=${file("tokens.csv")}`,
    `--service-account-key-file=${file("accounts.key")}`,
    `--service-account-signing-key-file=${file("accounts.key")}`,
    "--service-account-issuer=https://kubernetes.default.svc",
    "--service-cluster-ip-range=10.0.0.0/24",
    "--authorization-mode=Node,RBAC",
    // Without the controller manager nobody makes the account `default` in each namespace.
    "--disable-admission-plugins=ServiceAccount",
    `--audit-policy-file=${file("audit.json")}`,
    `--audit-log-path=${file("audit.log")}`,
    "--v=0",
  ];
}

async function writeCertificates(home: string): Promise<void> {
  const run = commandRunner({ defaults: { cwd: home, timeoutMs: 60_000 } });
  const openssl = async (...args: readonly string[]): Promise<void> => {
    const { exitCode, stderr } = await run("openssl", args);
    if (exitCode !== 0) throw new Error(`openssl ${args[0]}: ${stderr}`);
  };
  const key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "7"];
  await openssl("req", "-x509", ...key, "-subj", "/CN=test-ca", "-keyout", "ca.key", "-out", "ca.crt");
  await openssl("req", ...key.slice(0, 5), "-subj", "/CN=server", "-keyout", "server.key", "-out", "server.csr");
  await writeFile(path.join(home, "names"), "subjectAltName=IP:127.0.0.1,DNS:localhost,DNS:kubernetes.default.svc\n");
  const signed = ["-CA", "ca.crt", "-CAkey", "ca.key", "-CAcreateserial", "-days", "7", "-extfile", "names"];
  await openssl("x509", "-req", "-in", "server.csr", ...signed, "-out", "server.crt");
  await openssl("genrsa", "-out", "accounts.key", "2048");
}

async function ready(
  cluster: Pick<TestCluster, "url" | "ca" | "adminToken">,
  faults: readonly string[],
): Promise<void> {
  const admin = adminOf(cluster);
  const until = performance.now() + START_MS;
  while (performance.now() < until) {
    if (faults.length > 0) throw new Error(`the cluster did not start: ${faults.join("; ")}`);
    const answer = await admin.request("GET", "readyz").catch(() => undefined);
    if (answer?.status === 200) return;
    // A server in a process of its own is ready when it says so.
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
  throw new Error("the API server was not ready in time");
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const address = server.address();
      const port = typeof address === "object" && address !== null ? address.port : 0;
      server.close(() => resolve(port));
    });
  });
}

export type { Binaries };
