// A host of the suite's workflows on DBOS: its database, the world's directory and its version as arguments.
import { DBOS } from "@dbos-inc/dbos-sdk";
import { engineSuite, serveEngineHost } from "@slipway/contract-tests/workflow-engine";
import type { Workflow } from "@slipway/core";
import { dbosRuns } from "../../src/index.ts";

const [url = "", world = ""] = process.argv.slice(2);
const { workflows, failpoint } = engineSuite(world);
const runs = dbosRuns(DBOS, workflows, { failpoint, lookMs: 100 });
const flow = (type: string): Workflow => {
  const found = workflows.find((one) => one.type === type);
  if (found === undefined) throw new Error(`no workflow ${type}`);
  return found;
};

DBOS.setConfig({
  name: "slipway-suite",
  systemDatabaseUrl: url,
  systemDatabasePoolSize: 4,
  applicationVersion: "suite",
  executorID: "suite",
  enableOTLP: false,
  logLevel: "error",
});
await DBOS.launch();
serveEngineHost({
  begin: (type, input, options) => runs.begin(flow(type), input, options),
  result: (type, runId) => runs.result(flow(type), runId),
  cancel: (type, runId) => runs.cancel(flow(type), runId),
});
