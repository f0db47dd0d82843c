// A controller on this host. Variables: DATABASE_URL, FLEET_PLACES (local, cloud), FLEET_SSH_KEY, FLEET_DRAIN, and those of AWS.
import { readFile } from "node:fs/promises";
import { pool } from "@slipway/control";
import { aws } from "@slipway/provider-aws";
import { local } from "@slipway/provider-local";
import { applyMigrations, postgresStore } from "@slipway/store-postgres";
import pg from "pg";
import { type Place, runController } from "./controller.ts";
import { Jobs } from "./jobs.ts";

const { DATABASE_URL: connectionString, FLEET_PLACES = "local", FLEET_SSH_KEY: identityFile = "" } = process.env;
const owner = process.env["FLEET_OWNER"] ?? "runner-fleet";
const access = { identityFile };
const wanted = new Set(FLEET_PLACES.split(","));

const connections = new pg.Pool({ connectionString, max: 8, connectionTimeoutMillis: 5000 });
// A restart of the database ends idle connections: the next call opens another one.
connections.on("error", () => undefined);
const store = postgresStore(connections);

/** On this host itself. Every host that shares the directory sees the same machines. */
function localPlace(): Place {
  const provider = local({ owner });
  const spec = { name: "local-runners", max: 4, desired: { minIdle: 1 }, spawn: {} };
  return { provider, store, machines: pool(provider, spec, { store }), jobs: new Jobs(connections, "local"), access };
}

/** In the cloud, on capacity that may be reclaimed: a job whose machine goes is run once more. */
async function cloudPlace(): Promise<Place> {
  const provider = aws({ owner });
  const sshKeys = [(await readFile(`${identityFile}.pub`, "utf8")).trim()];
  const spawn = { spec: "t3.micro", sshKeys, spot: {} };
  const spec = { name: "cloud-runners", max: 6, desired: { minIdle: 1 }, spawn, ttlMs: 86_400_000 };
  const machines = pool(provider, spec, { store });
  return { provider, store, machines, jobs: new Jobs(connections, "cloud"), access };
}

await applyMigrations(connections);
await Jobs.prepare(connections);
const stop = new AbortController();
for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => stop.abort());
const drain = process.env["FLEET_DRAIN"] === "1" ? AbortSignal.abort() : new AbortController().signal;
const places = [...(wanted.has("local") ? [localPlace()] : []), ...(wanted.has("cloud") ? [await cloudPlace()] : [])];
await runController(places, {
  ...{ concurrency: 4, pauseMs: 2000, signal: stop.signal, drain },
  note: (line) => process.stderr.write(`${line}\n`),
});
await store.close?.();
await connections.end();
