// The whole fleet in network namespaces of its own: here are the database and the cloud, and each controller is on a host
// that a cable leads to. The database restarts, a spot instance is reclaimed, and a host is cut off and then killed.
// Prints what is left at the end as JSON. Run by `unshare --net`: nothing of the machine's own network is touched.
import { execFileSync } from "node:child_process";
import { chmod, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { allEntries } from "@slipway/control";
import { serve } from "@slipway/provider-aws/emulator";
import { local } from "@slipway/provider-local";
import { applyMigrations, postgresStore } from "@slipway/store-postgres";
import { Jobs } from "../src/jobs.ts";
import { startDatabase } from "./database.ts";
import { type Host, NETWORK, openGateway, startHost } from "./network.ts";
import { LEASE_MS, OWNER } from "./settings.ts";

const directory = await mkdtemp(join(tmpdir(), "slipway-fleet-"));
const identityFile = join(directory, "key");
const stateDirectory = join(directory, "machines");
execFileSync("ip", ["link", "set", "lo", "up"]);
execFileSync("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-f", identityFile]);
// The cloud's machines have addresses of the loopback here, which no cable leads to.
const ssh = `#!/bin/sh\nexec nsenter --net=/proc/${process.pid}/ns/net /usr/bin/ssh "$@"\n`;
await mkdir(join(directory, "bin"));
await writeFile(join(directory, "bin", "ssh"), ssh);
await chmod(join(directory, "bin", "ssh"), 0o755);
const env = { ...process.env, PATH: `${join(directory, "bin")}:${process.env["PATH"] ?? ""}` };

const server = await startDatabase(NETWORK);
const cloud = await serve({ machines: "light", bootMs: 0, endMs: 0, stopMs: 0, latencyMs: 0, limits: null });
const gateway = await openGateway(cloud.port);
const store = postgresStore(server.pool, { leaseMs: LEASE_MS });
const here = local({ owner: OWNER, stateDirectory });
const hosts: Host[] = [];

async function start(number: number): Promise<Host> {
  const program = fileURLToPath(new URL("host.ts", import.meta.url));
  const host = await startHost(number, program, [String(gateway.port), stateDirectory, identityFile], env);
  hosts.push(host);
  return host;
}

let added = 0;
async function add(place: string, count: number, seconds: number): Promise<void> {
  const jobs = new Jobs(server.pool, place);
  for (const end = added + count; added < end; added += 1) {
    const key = `${place}-${added}`;
    await jobs.add({ key, argv: ["/bin/sh", "-c", `sleep ${seconds}; echo by ${key}`] });
  }
}

async function until<T>(what: string, find: () => Promise<T | false | undefined>): Promise<T> {
  for (const last = Date.now() + 90_000; ; await pause(50)) {
    const found = await find();
    if (found !== undefined && found !== false) return found;
    if (Date.now() > last) throw new Error(`${what}: not within 90 s`);
  }
}

async function numberOf(query: string, ...values: readonly unknown[]): Promise<number> {
  const { rows } = await server.pool.query<{ n: string }>(`select count(*) as n from ${query}`, [...values]);
  return Number(rows[0]?.n);
}

interface Begun {
  readonly id: string;
  readonly key: string;
  readonly times: number;
}

/** The jobs that run now, and how often each was begun. */
async function running(): Promise<readonly Begun[]> {
  const entries = await allEntries(store, { kind: "run", states: ["running"] });
  return entries.flatMap(({ id, record }): readonly Begun[] => {
    if (record.kind !== "run") return [];
    return [{ id, key: String(Reflect.get(Object(record.input), "key")), times: record.steps.length }];
  });
}

/** Reclaims a machine whose job was begun once, and never hit before; true once that job is begun again. */
async function reclaim(): Promise<boolean> {
  const jobs = await running();
  for (const { record } of await allEntries(store, { kind: "pool", provider: "aws" })) {
    const data: unknown = record.kind === "pool" ? record.data : null;
    const [, key = ""] = String(Reflect.get(Object(data), "claim")).split("/");
    const id = String(Reflect.get(Object(data), "instanceId"));
    if (jobs.find((job) => job.key === key)?.times !== 1) continue;
    cloud.emulator.control.interrupt(id.split("/").at(-1) ?? "", 0);
    return await until("the end of that job", async () => {
      if ((await numberOf("job where key = $1 and result is not null", key)) > 0) return { again: false };
      const times = (await running()).find((job) => job.key === key)?.times ?? 0;
      return times > 1 && { again: true };
    }).then(({ again }) => again);
  }
  return false;
}

/** Has this host begun some jobs, and are all of them at their first time? */
async function hasBegun({ child }: Host): Promise<boolean> {
  const text = "select id from slipway.lease where id like 'run:%' and expires > now() and holder like $1";
  const { rows } = await server.pool.query<{ id: string }>({ text, values: [`% ${child.pid}`] });
  const own = (await running()).filter(({ id }) => rows.some((row) => row.id === id));
  return own.some(({ times }) => times === 1) && own.every(({ times }) => times < 2);
}

try {
  await applyMigrations(server.pool);
  await Jobs.prepare(server.pool);
  await add("cloud", 6, 1);
  await add("local", 6, 1);
  const first = await start(1);
  const second = await start(2);
  await until("the first results", async () => (await numberOf("job where result is not null")) >= 3);
  await server.restart();
  await add("cloud", 6, 5);
  const taken = await until("a spot instance at work", reclaim);
  await add("cloud", 4, 2);
  await add("local", 8, 2);
  await until("jobs of the first host", () => hasBegun(first));
  await first.cutOff();
  await pause(LEASE_MS);
  first.kill();
  second.child.stdin?.write("drain\n");
  const [code] = (await Promise.race([second.ended, pause(90_000, ["late"])])) as readonly unknown[];
  await until("the end of the leases", async () => (await numberOf("slipway.lease where expires > now()")) === 0);
  const { rows } = await server.pool.query("select key, result from job order by key");
  const live = cloud.emulator.control.instances().filter((one) => one.live).length;
  process.stdout.write(
    `${JSON.stringify({ code, taken, added, live, local: (await here.list()).length, jobs: rows })}\n`,
  );
} finally {
  for (const host of hosts) host.kill();
  for (const { id } of await here.list()) await here.terminate(id);
  await store.close?.();
  gateway.server.close();
  await cloud.close();
  await server.stop();
  await rm(directory, { recursive: true, force: true });
}
process.exit(0);
