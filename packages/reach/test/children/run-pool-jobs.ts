// Runs one job on a machine of a pool, until it is killed.
// Usage: run-pool-jobs <state directory> <store directory> <key> <script>
import { fileStore, pool } from "@slipway/control";
import { local } from "@slipway/provider-local";
import { runJobs } from "../../src/index.ts";

const [stateDirectory = "", directory = "", key = "", script = ""] = process.argv.slice(2);
const provider = local({ owner: "jobs", stateDirectory });
const store = fileStore(directory);
const machines = pool(provider, { name: "kill", max: 2, desired: 2, spawn: {} }, { store });
await machines.keep();
process.stdout.write("kept\n");
const [result] = await runJobs(provider, [{ key, argv: ["/bin/sh", "-c", script] }], { store, pool: machines });
process.stdout.write(`${JSON.stringify(result)}\n`);
