// A control plane's process: launches each key on Lambda's emulator, again with the same key where the store could not be
// reached, and prints each key and its instance in a line.
// Usage: launch-keys <base URL> <socket> <schema> <lease ms> <keys> [stop]
// With "stop" it says so and stops right before its first launch request is sent, after every look at the lease.
import { writeSync } from "node:fs";
import { setTimeout as pause } from "node:timers/promises";
import { isStoreError, launch } from "@slipway/control";
import { isProviderError, type Provider } from "@slipway/core";
import { lambda } from "@slipway/provider-lambda";
import { EMULATOR_API_KEY } from "@slipway/provider-lambda/emulator";
import pg from "pg";
import { postgresStore } from "../../src/index.ts";

const [baseUrl = "", host = "", schema = "", leaseMs = "", keys = "", stop = ""] = process.argv.slice(2);

let hasStopped = stop === "";
const stopping: typeof fetch = (input, init) => {
  if (!hasStopped && String(input).endsWith("instance-operations/launch")) {
    hasStopped = true;
    writeSync(1, "stopping\n");
    process.kill(process.pid, "SIGSTOP");
    // Another thread may get the signal first: nothing is sent before all of them stand still.
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 500);
    // As one that was on its way already: what the process does when it goes on cannot take it back.
    // By another name of the same server, so that no connection is used that it has closed meanwhile.
    return fetch(String(input).replace("127.0.0.1", "localhost"), { ...init, signal: null });
  }
  return fetch(input, init);
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
// On the loopback no request of a dead process is under way for longer.
const provider: Provider = { ...remote, limits: { ...remote.limits, requestLifeMs: 1500 } };
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
