// A controller of a pool: one round after the other, until it is killed. Usage: keep-pool <base URL> <socket> <schema> <lease ms>
import { setTimeout as pause } from "node:timers/promises";
import { isStoreError, pool } from "@slipway/control";
import { isProviderError, type Provider } from "@slipway/core";
import { lambda } from "@slipway/provider-lambda";
import { EMULATOR_API_KEY } from "@slipway/provider-lambda/emulator";
import pg from "pg";
import { postgresStore } from "../../src/index.ts";

const [baseUrl = "", host = "", schema = "", leaseMs = ""] = process.argv.slice(2);

const remote: Provider = lambda({
  apiKey: EMULATOR_API_KEY,
  owner: "herd",
  baseUrl,
  regions: ["us-west-1"],
  sshKeyName: "laptop",
  requestsPerSecond: 10_000,
  secondsPerLaunch: 0.0001,
  readAfterWriteMs: 400,
});
// On the loopback no request of a dead process is under way for longer.
const provider: Provider = { ...remote, limits: { ...remote.limits, requestLifeMs: 1500 } };
const connections = new pg.Pool({ host, user: "slipway", database: "postgres", max: 4, connectionTimeoutMillis: 3000 });
connections.on("error", () => undefined);
const store = postgresStore(connections, { schema, leaseMs: Number(leaseMs), statementMs: 3000 });
const machines = pool(provider, { name: "six", max: 6, desired: 6, spawn: { spec: "gpu_1x_a10" } }, { store });

for (;;) {
  try {
    const done = await machines.keep();
    process.stdout.write(`${done.length}\n`);
  } catch (error) {
    if (!isStoreError(error) && !isProviderError(error)) throw error;
  }
  await pause(20);
}
