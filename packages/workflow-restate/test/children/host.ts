// A host of the suite's workflows as services of Restate: the world's directory, its port and its namespace as arguments.
import { once } from "node:events";
import { createServer } from "node:http2";
import { createEndpointHandler } from "@restatedev/restate-sdk";
import { engineSuite, serveEngineHost } from "@slipway/contract-tests/workflow-engine";
import { restateService } from "../../src/index.ts";

const [world = "", port = "0", namespace = ""] = process.argv.slice(2);
const { workflows, failpoint } = engineSuite(world);
const services = workflows.map((workflow) => restateService(workflow, { failpoint, namespace }));
const server = createServer(createEndpointHandler({ services })).listen(Number(port), "127.0.0.1");
await once(server, "listening");
serveEngineHost({});
