// A control plane's process: launches each key on Lambda's emulator, again with the same key where the store could not be
// reached, and prints each key and its instance in a line.
// Usage: launch-keys <base URL> <socket or address> <schema> <lease ms> <keys> [stop | wait | -] [request life ms]
// With "stop" it says so and stops right before its first launch request is sent, after every look at the lease. With "wait" it
// says so and waits there for a line of its standard input.
import { once } from "node:events";
import { writeSync } from "node:fs";
import { setTimeout as pause } from "node:timers/promises";
import { isStoreError, launch } from "@slipway/control";
import { isProviderError, type Provider } from "@slipway/core";
import { lambda } from "@slipway/provider-lambda";
import { EMULATOR_API_KEY } from "@slipway/provider-lambda/emulator";
import pg from "pg";
import { postgresStore } from "../../src/index.ts";

const [baseUrl = "", host = "", schema = "", leaseMs = "", keys = "", stop = "-", life = "1500"] =
  process.argv.slice(2);

let hasStopped = stop === "-";
const stopping: typeof fetch = async (input, init) => {
  if (hasStopped || !String(input).endsWith("instance-operations/launch")) return await fetch(input, init);
  hasStopped = true;
  writeSync(1, "stopping\n");
  if (stop === "wait") await once(process.stdin, "data");
  else {
    process.kill(process.pid, "SIGSTOP");
    // Another thread may get the signal first: nothing is sent before all of them stand still.
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 500);
  }
  // As one that was on its way already: what the process does when it goes on cannot take it back.
  // By another name of the same server, so that no connection is used that it has closed meanwhile.
  return await fetch(String(input).replace("127.0.0.1", "localhost"), { ...init, signal: null });
};

const remote: Provider = lambda({
  apiKey: EMULATOR_API_KEY,
  owner: "herd",
  baseUrl,
  regions: ["us-west-1"],
  sshKeyName: "laptop",
  requestsPerSecond: 10_000,
  secondsPerLaunch: 0.0001,
  readAfterWriteMs: 400,
  runtime: { fetch: stopping },
});
// On the loopback no request of a dead process is under way for longer than the default.
const provider: Provider = { ...remote, limits: { ...remote.limits, requestLifeMs: Number(life) } };
const pool = new pg.Pool({ host, user: "slipway", database: "postgres", max: 4, connectionTimeoutMillis: 3000 });
pool.on("error", () => undefined);
const store = postgresStore(pool, { schema, leaseMs: Number(leaseMs), statementMs: 3000 });

async function launchOne(key: string): Promise<string> {
  for (;;) {
    try {
      return (await launch(provider, { key, spec: "gpu_1x_a10" }, { store, leaseTimeoutMs: 30_000 })).id;
    } catch (error) {
      if (!isStoreError(error) && !(isProviderError(error) && (error.retryable || error.code === "CONFLICT")))
        throw error;
      await pause(50 + Math.random() * 100);
    }
  }
}

const left = keys.split(",").sort(() => Math.random() - 0.5);
await Promise.all(
  Array.from({ length: 4 }, async () => {
    for (let key = left.pop(); key !== undefined; key = left.pop()) {
      process.stdout.write(`${key} ${await launchOne(key)}\n`);
    }
  }),
);
await store.close?.();
await pool.end();
process.exit(0);
