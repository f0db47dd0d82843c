import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { setTimeout as pause } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { type LambdaEmulatorServer, serve } from "@slipway/provider-lambda/emulator";
import { afterAll, beforeAll, expect, test } from "vitest";
import { applyMigrations } from "../src/index.ts";
import { missingServer, type PostgresServer, startPostgres } from "./server/postgres-server.ts";

const missing = missingServer();
const program = fileURLToPath(new URL("children/keep-pool.ts", import.meta.url));
const MAX = 6;
const CRASHES = Number(process.env["SLIPWAY_POOL_CRASHES"] ?? 20);
const KILLS = Number(process.env["SLIPWAY_POOL_KILLS"] ?? 3);
const LOOK_MS = 2;
const LEASE_MS = 2000;

let server: PostgresServer;
let emulator: LambdaEmulatorServer;

beforeAll(async () => {
  if (missing !== null) return;
  server = await startPostgres();
  emulator = await serve({
    speed: 100,
    readLagMs: 20_000,
    limits: null,
    capacity: 100_000,
    instanceQuota: 100_000,
    sshKeys: [{ name: "laptop", publicKey: "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAILaptop me@laptop" }],
  });
});
afterAll(async () => {
  await emulator?.close();
  await server?.stop();
});

test.skipIf(missing !== null)(
  "two controllers in processes of their own, machines that crash, controllers that are killed: never more than six live",
  async () => {
    await applyMigrations(server.pool());
    const start = (): ChildProcess => {
      const args = [program, emulator.baseUrl, server.socket, "slipway", String(LEASE_MS)];
      return spawn(process.execPath, ["--conditions=@slipway/source", "--no-warnings", ...args], {
        stdio: ["ignore", "ignore", "inherit"],
        env: { NODE_COMPILE_CACHE: process.env["NODE_COMPILE_CACHE"] },
      });
    };
    const kill = async (child: ChildProcess): Promise<void> => {
      child.kill("SIGKILL");
      if (child.exitCode === null && child.signalCode === null) await once(child, "exit");
    };
    const controllers = [start(), start()];
    const living = () => emulator.emulator.control.instances().filter(({ live }) => live);
    let most = 0;
    let looks = 0;
    const began = performance.now();
    const watch = setInterval(() => {
      looks += 1;
      most = Math.max(most, living().length);
    }, LOOK_MS);
    /** A crash is of one that has come up; the pool is never told. */
    const whenFull = async (): Promise<void> => {
      for (const until = Date.now() + 180_000; living().length < MAX; ) {
        if (Date.now() > until) throw new Error(`the pool has ${living().length} of ${MAX} after three minutes`);
        await pause(10);
      }
    };
    try {
      for (let crash = 1; crash <= CRASHES; ) {
        await whenFull();
        const count = Math.min(1 + (crash % 4), CRASHES - crash + 1);
        for (const { nativeId } of living().slice(0, count)) emulator.emulator.control.crash(nativeId);
        const due = Math.floor((crash * KILLS) / CRASHES) < Math.floor(((crash + count) * KILLS) / CRASHES);
        crash += count;
        if (!due) continue;
        // While it is at it.
        await pause(30 * (crash % 7));
        const index = crash % 2;
        const victim = controllers[index];
        if (victim !== undefined) await kill(victim);
        controllers[index] = start();
      }
      await whenFull();
      const seconds = Math.round((performance.now() - began) / 1000);
      console.table([{ controllers: 2, max: MAX, crashes: CRASHES, kills: KILLS, "most live": most, looks, seconds }]);
      expect(most).toBe(MAX);
    } finally {
      clearInterval(watch);
      for (const child of controllers) await kill(child);
    }
  },
  1_200_000,
);
