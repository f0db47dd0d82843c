// A control plane on a host whose cable is pulled, and another one beside the database and the cloud. Run by `unshare --net`:
// nothing of the machine's own network is touched. Prints what came of it as JSON. Usage: lost-host <keys> <lease ms>
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { createInterface, type Interface } from "node:readline";
import { setTimeout as pause } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { allEntries } from "@slipway/control";
import { serve } from "@slipway/provider-lambda/emulator";
import { applyMigrations, postgresStore } from "../../src/index.ts";
import { HERE, type Host, openGateway, startHost } from "../server/network.ts";
import { startPostgres } from "../server/postgres-server.ts";

const [count = "0", leaseMs = "0"] = process.argv.slice(2);
const program = fileURLToPath(new URL("launch-keys.ts", import.meta.url));
const DATABASE_PORT = 5432;
// What was sent and not delivered is sent again for some seconds after the cable is back, also by a process that gave it up.
const REQUEST_LIFE_MS = 10_000;

execFileSync("ip", ["link", "set", "lo", "up"]);
const server = await startPostgres();
const cloud = await serve({
  ...{ speed: 100, readLagMs: 20_000, limits: null, readableAfterEndMs: 86_400_000 },
  ...{ capacity: 100_000, instanceQuota: 100_000 },
  sshKeys: [{ name: "laptop", publicKey: "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAILaptop me@laptop" }],
});
await openGateway({ path: join(server.socket, ".s.PGSQL.5432") }, DATABASE_PORT);
const cloudPort = await openGateway({ host: "127.0.0.1", port: cloud.port });
const living: ChildProcess[] = [];
let host: Host | undefined;

function command(base: string, database: string, schema: string, keys: readonly string[], ...more: readonly string[]) {
  const args = [program, base, database, schema, leaseMs, keys.join(","), ...more];
  return [process.execPath, "--conditions=@slipway/source", "--no-warnings", ...args];
}

function linesOf({ stdout }: ChildProcess): Interface {
  if (stdout === null) throw new Error("its output is not read");
  return createInterface({ input: stdout });
}

/** A control plane here, to its end: what it was answered for each key. */
async function launchHere(schema: string, keys: readonly string[], life: number): Promise<ReadonlyMap<string, string>> {
  const [file = "", ...args] = command(cloud.baseUrl, server.socket, schema, keys, "-", String(life));
  const child = spawn(file, args, { stdio: ["ignore", "pipe", "inherit"] });
  living.push(child);
  const answers = new Map<string, string>();
  for await (const line of linesOf(child)) answers.set(...pairOf(line));
  return answers;
}

function pairOf(line: string): readonly [key: string, id: string] {
  const [key = "", id = ""] = line.split(" ");
  return [key, id];
}

async function startThere(schema: string, keys: readonly string[], ...more: readonly string[]): Promise<Host> {
  host = await startHost(
    command(cloud.baseUrl.replace(/127\.0\.0\.1:\d+/, `${HERE}:${cloudPort}`), HERE, schema, keys, ...more),
  );
  return host;
}

const ofKeys = (keys: readonly string[]) =>
  cloud.emulator.control.instances().filter(({ key }) => key !== null && keys.includes(key));
const lives = ({ status }: { readonly status: string }): boolean => !status.startsWith("terminat");

/** How many of a schema's launches can be taken again, once their leases must be over. */
async function free(schema: string): Promise<number> {
  const store = postgresStore(server.pool(), { schema, leaseMs: Number(leaseMs) });
  await pause(Number(leaseMs));
  let taken = 0;
  for (const { id } of await allEntries(store, { kind: "launch", states: ["launched"] })) {
    if ((await store.acquire(id)) !== null) taken += 1;
  }
  await store.close?.();
  return taken;
}

/** Cut off in the middle of many launches, and back when another host has launched all of them. */
async function loseHost() {
  const schema = "lost";
  await applyMigrations(server.pool(), { schema });
  const keys = Array.from({ length: Number(count) }, (_value, index) => `lost-${index}`);
  const there = await startThere(schema, keys, "-", String(REQUEST_LIFE_MS));
  const ended = once(there.child, "close");
  const answers = new Map<string, string>();
  const lines = linesOf(there.child).on("line", (line) => answers.set(...pairOf(line)));
  while (answers.size < keys.length / 3) await once(lines, "line");
  await there.cutOff();
  const before = answers.size;
  const began = performance.now();
  const others = await launchHere(schema, keys, REQUEST_LIFE_MS);
  const tookMs = Math.round(performance.now() - began);
  const alone = ofKeys(keys).filter(lives).length;
  await there.connect();
  const [code] = await ended;
  await there.end();
  const differing = keys.filter((key) => answers.get(key) !== others.get(key)).length;
  const made = ofKeys(keys).length;
  return { code, keys: keys.length, before, alone, differing, made, live: ofKeys(keys).filter(lives).length, tookMs };
}

/** Cut off right before its launch request is sent, so that the request arrives after another host has launched the key. */
async function loseRequest() {
  const schema = "residue";
  await applyMigrations(server.pool(), { schema });
  const keys = ["residue"];
  const there = await startThere(schema, keys, "wait");
  const ended = once(there.child, "exit");
  const said = linesOf(there.child)[Symbol.asyncIterator]();
  await said.next();
  await there.cutOff();
  there.child.stdin?.write("go on\n");
  const others = await launchHere(schema, keys, 1500);
  const alone = ofKeys(keys).filter(lives).length;
  await there.connect();
  const answer = pairOf(String((await said.next()).value))[1];
  const [code] = await ended;
  await there.end();
  const made = ofKeys(keys).length;
  const isSame = answer === others.get("residue");
  return { code, alone, made, live: ofKeys(keys).filter(lives).length, isSame };
}

try {
  const residue = await loseRequest();
  const lost = await loseHost();
  process.stdout.write(`${JSON.stringify({ residue, lost, free: await free("lost") })}\n`);
} finally {
  await host?.end();
  for (const child of living) child.kill("SIGKILL");
  await cloud.close();
  await server.stop();
}
process.exit(0);
