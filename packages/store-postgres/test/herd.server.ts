import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { setTimeout as pause } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { allEntries } from "@slipway/control";
import { type LambdaEmulatorServer, serve } from "@slipway/provider-lambda/emulator";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { applyMigrations, postgresStore } from "../src/index.ts";
import { missingServer, type PostgresServer, startPostgres } from "./server/postgres-server.ts";

const missing = missingServer();
const program = fileURLToPath(new URL("children/launch-keys.ts", import.meta.url));
const PROCESSES = Number(process.env["SLIPWAY_HERD_PROCESSES"] ?? 4);
const KEYS = Number(process.env["SLIPWAY_HERD_KEYS"] ?? 40);
const KILLS = 8;
const RESTARTS = 2;
const LEASE_MS = 3000;

let server: PostgresServer;
let emulator: LambdaEmulatorServer;

beforeAll(async () => {
  if (missing !== null) return;
  server = await startPostgres();
  emulator = await serve({
    speed: 100,
    readLagMs: 20_000,
    limits: null,
    readableAfterEndMs: 86_400_000,
    capacity: 100_000,
    instanceQuota: 100_000,
    sshKeys: [{ name: "laptop", publicKey: "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAILaptop me@laptop" }],
  });
});
/** What the cases show, printed at the end as a table. */
const table: Readonly<Record<string, string | number>>[] = [];
afterAll(async () => {
  if (table.length > 0) console.table(table);
  await emulator?.close();
  await server?.stop();
});

function startLauncher(host: string, schema: string, keys: readonly string[], ...more: readonly string[]) {
  const args = [program, emulator.baseUrl, host, schema, String(LEASE_MS), keys.join(","), ...more];
  const child = spawn(process.execPath, ["--conditions=@slipway/source", "--no-warnings", ...args], {
    stdio: ["ignore", "pipe", "inherit"],
    env: { NODE_COMPILE_CACHE: process.env["NODE_COMPILE_CACHE"] },
  });
  return { child, lines: createInterface({ input: child.stdout }) };
}

/** Processes that launch the same keys; one of them is killed and started again at each such part of the whole. */
async function runHerd(
  host: string,
  schema: string,
  keys: readonly string[],
): Promise<ReadonlyMap<string, ReadonlySet<string>>> {
  const answers = new Map<string, Set<string>>();
  const living = new Set<ChildProcess>();
  const ends: Promise<void>[] = [];
  let seen = 0;
  let kills = 0;
  let restarts = 0;
  let isOver = false;
  const whole = keys.length * PROCESSES;

  const onLine = (line: string): void => {
    const [key = "", id = ""] = line.split(" ");
    answers.set(key, (answers.get(key) ?? new Set()).add(id));
    seen += 1;
    if (kills < KILLS && seen >= ((kills + 1) * whole) / (KILLS + 2)) {
      kills += 1;
      const [victim] = living;
      victim?.kill("SIGKILL");
    }
    if (restarts < RESTARTS && seen >= ((restarts + 1) * whole) / (RESTARTS + 1.5)) {
      restarts += 1;
      ends.push(server.restart());
    }
  };
  const start = (): void => {
    const { child, lines } = startLauncher(host, schema, keys);
    living.add(child);
    lines.on("line", onLine);
    ends.push(
      once(child, "close").then(([code, signal]) => {
        living.delete(child);
        if (signal === "SIGKILL" && !isOver) start();
        else if (!isOver && code !== 0) throw new Error(`a control plane ended with ${code}`);
      }),
    );
  };
  try {
    for (let count = 0; count < PROCESSES; count += 1) start();
    // What is started later is waited for as well.
    for (let at = 0; at < ends.length; at += 1) await ends[at];
  } finally {
    // Where one has failed the others go on: they would take the machine from the next case.
    isOver = true;
    for (const child of living) child.kill("SIGKILL");
  }
  expect([kills, restarts]).toEqual([KILLS, RESTARTS]);
  return answers;
}

describe.skipIf(missing !== null).each([
  ["direct", () => server.socket],
  ["behind pgbouncer", () => server.pooled],
] as const)("%s", (name, host) => {
  test("a herd of processes, kills and restarts: one instance for each key, and no lease stays", async () => {
    const schema = `herd ${name}`;
    await applyMigrations(server.pool(), { schema });
    const keys = Array.from({ length: KEYS }, (_value, index) => `${name.slice(0, 6)}-${index}`);
    const began = performance.now();
    const answers = await runHerd(host(), schema, keys);
    const seconds = (performance.now() - began) / 1000;
    // Every process had the same instance for a key, before and after the kills.
    expect([...answers.values()].filter((ids) => ids.size !== 1)).toEqual([]);
    const live = emulator.emulator.control.instances().filter((one) => one.live && keys.includes(one.key ?? ""));
    const counts = keys.map((key) => live.filter((one) => one.key === key).length);
    const store = postgresStore(server.pool(), { schema, leaseMs: LEASE_MS });
    const entries = await allEntries(store, { kind: "launch", states: ["launched"] });
    await pause(LEASE_MS);
    let stuck = 0;
    for (const { id } of entries) if ((await store.acquire(id)) === null) stuck += 1;
    await store.close?.();
    table.push({
      ...{ case: name, processes: PROCESSES, keys: KEYS, kills: KILLS, restarts: RESTARTS },
      "one instance": counts.filter((count) => count === 1).length,
      more: counts.filter((count) => count > 1).length,
      none: counts.filter((count) => count === 0).length,
      [`leases left after ${LEASE_MS} ms`]: stuck,
      seconds: Math.round(seconds),
    });
    expect(live.map(({ key }) => key).toSorted()).toEqual(keys.toSorted());
    expect(entries.length).toBe(keys.length);
    expect(stuck).toBe(0);
  }, 1_500_000);
});

test.skipIf(missing !== null)(
  "a holder that is paused past its expiry makes a second instance at most, ends it itself and answers the other one",
  async () => {
    const schema = "paused";
    await applyMigrations(server.pool(), { schema });
    const ofKey = () => emulator.emulator.control.instances().filter(({ key }) => key === "paused");
    const first = startLauncher(server.socket, schema, ["paused"], "stop");
    const said = first.lines[Symbol.asyncIterator]();
    try {
      expect((await said.next()).value).toBe("stopping");
      await pause(1.5 * LEASE_MS);
      const second = startLauncher(server.socket, schema, ["paused"]);
      const other: unknown = (await second.lines[Symbol.asyncIterator]().next()).value;
      expect(ofKey().length).toBe(1);
      first.child.kill("SIGCONT");
      expect((await said.next()).value).toBe(other);
      const living = () => ofKey().filter(({ status }) => !status.startsWith("terminat"));
      await expect.poll(() => living().map(({ status }) => status), { timeout: 20_000 }).toHaveLength(1);
      // The second one was there: without it this case would show nothing.
      expect(ofKey().length).toBe(2);
    } finally {
      first.child.kill("SIGKILL");
    }
  },
  60_000,
);
