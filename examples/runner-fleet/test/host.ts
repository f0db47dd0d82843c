// A controller's host: as src/main.ts, with emulated clouds and short times.
// Usage: host <address of the others> <port of the cloud> <state directory> <key file>
import { readFile } from "node:fs/promises";
import { pool } from "@slipway/control";
import type { Provider } from "@slipway/core";
import { aws } from "@slipway/provider-aws";
import { EMULATOR_CREDENTIALS } from "@slipway/provider-aws/emulator";
import { local } from "@slipway/provider-local";
import { postgresStore } from "@slipway/store-postgres";
import pg from "pg";
import { type Place, runController } from "../src/controller.ts";
import { Jobs } from "../src/jobs.ts";
import { LEASE_MS, MACHINES, OWNER } from "./settings.ts";

const [host = "", port = "", stateDirectory = "", identityFile = ""] = process.argv.slice(2);
const connections = new pg.Pool({ host, user: "slipway", database: "postgres", max: 8, connectionTimeoutMillis: 1000 });
connections.on("error", () => undefined);
const store = postgresStore(connections, { leaseMs: LEASE_MS, statementMs: 2000 });

/** On the loopback no request of a dead host is under way for longer. */
const hasty = <P extends Provider>(provider: P): P => ({
  ...provider,
  limits: { ...provider.limits, requestLifeMs: 1000 },
});
const cloud = hasty(
  aws({
    ...{ owner: OWNER, credentials: EMULATOR_CREDENTIALS, regions: ["us-east-1"], readAfterWriteMs: 0 },
    endpoint: `http://${host}:${port}`,
  }),
);
const here = hasty(local({ owner: OWNER, stateDirectory }));
const access = { identityFile };
const sshKeys = [(await readFile(`${identityFile}.pub`, "utf8")).trim()];
const size = { max: MACHINES, desired: MACHINES };
const places: readonly Place[] = [
  {
    ...{ provider: cloud, store, access, jobs: new Jobs(connections, "cloud") },
    machines: pool(cloud, { name: "cloud", ...size, spawn: { spec: "t3.micro", sshKeys, spot: {} } }, { store }),
  },
  {
    ...{ provider: here, store, access, jobs: new Jobs(connections, "local") },
    machines: pool(here, { name: "local", ...size, spawn: {} }, { store }),
  },
];
const drain = new AbortController();
process.stdin.on("data", (text) => {
  if (String(text).includes("drain")) drain.abort();
});
await runController(places, {
  ...{ concurrency: 2, pauseMs: 100, signal: new AbortController().signal, drain: drain.signal },
  note: (line) => process.stderr.write(`${line.split("\n")[0]}\n`),
});
await store.close?.();
await connections.end();
process.exit(0);
