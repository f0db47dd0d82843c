// A host of the AWS workflows on an engine: `dbos` or `restate`, the world's directory, the variables of the emulated AWS as
// JSON, and the address of the database, or the host's own port.
import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { createServer } from "node:http2";
import { join } from "node:path";
import { DBOS } from "@dbos-inc/dbos-sdk";
import { createEndpointHandler } from "@restatedev/restate-sdk";
import { engineSuite, serveEngineHost } from "@slipway/contract-tests/workflow-engine";
import { dbosRuns } from "@slipway/workflow-dbos";
import { restateService } from "@slipway/workflow-restate";
import { awsFlows } from "./aws-flows.ts";
import { POINT_FILE } from "./kills.ts";

const [engine = "", world = "", variables = "{}", address = ""] = process.argv.slice(2);
const { failpoint: dieWhereTold } = engineSuite(world);
const failpoint = async (name: string): Promise<void> => {
  // So that whoever had it killed can say where that was.
  writeFileSync(join(world, POINT_FILE), name);
  await dieWhereTold(name);
};
const flows = await awsFlows(JSON.parse(variables));
const all = [...flows.values()];

if (engine === "restate") {
  const services = all.map((workflow) => restateService(workflow, { failpoint }));
  const server = createServer(createEndpointHandler({ services })).listen(Number(address), "127.0.0.1");
  await once(server, "listening");
  serveEngineHost({});
} else {
  const runs = dbosRuns(DBOS, all, { failpoint });
  const flow = (name: string) => {
    const found = flows.get(name);
    if (found === undefined) throw new Error(`no workflow ${name}`);
    return found;
  };
  DBOS.setConfig({
    name: "aws",
    systemDatabaseUrl: address,
    systemDatabasePoolSize: 4,
    applicationVersion: "1",
    executorID: "aws",
    enableOTLP: false,
    logLevel: "error",
  });
  await DBOS.launch();
  serveEngineHost({
    begin: (name, input, options) => runs.begin(flow(name), input, options),
    result: (name, runId) => runs.result(flow(name), runId),
  });
}
