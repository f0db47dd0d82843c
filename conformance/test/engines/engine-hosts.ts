import { fileURLToPath } from "node:url";
import { type EngineFixture, type EngineHostProcess, startEngineHost } from "@slipway/contract-tests/workflow-engine";
import { freePort } from "@slipway/provider-kit/emulator";
import { restateRuns } from "@slipway/workflow-restate";
import { startPostgres } from "../../../packages/store-postgres/test/server/postgres-server.ts";
import { startRestate } from "../../../packages/workflow-restate/test/server/restate-server.ts";
import { awsFlows } from "./aws-flows.ts";

/** An engine with a host of the AWS workflows. */
export interface AwsEngine extends Pick<EngineFixture, "begin" | "result" | "died" | "restart"> {
  readonly restartEngine: () => Promise<void>;
  readonly stop: () => Promise<void>;
}

type Variables = Readonly<Record<string, string>>;

const program = fileURLToPath(new URL("aws-host.ts", import.meta.url));

async function startHost(...args: readonly string[]): Promise<EngineHostProcess> {
  const argv = ["--conditions=@slipway/source", "--no-warnings", program, ...args];
  const host = startEngineHost(process.execPath, argv, { RESTATE_LOGGING: "ERROR" });
  await host.ready;
  return host;
}

async function onDbos(world: string, variables: Variables): Promise<AwsEngine> {
  const server = await startPostgres();
  const url = `postgresql://slipway@localhost/aws?host=${encodeURIComponent(server.socket)}`;
  const start = () => startHost("dbos", world, JSON.stringify(variables), url);
  let host = await start();
  return {
    begin: (...given) => host.begin(...given),
    result: (...given) => host.result(...given),
    died: () => host.died,
    restart: async () => {
      host = await start();
    },
    restartEngine: () => server.restart(),
    stop: async () => {
      await host.kill();
      await server.stop();
    },
  };
}

async function onRestate(world: string, variables: Variables): Promise<AwsEngine> {
  const server = await startRestate();
  const port = await freePort();
  const start = () => startHost("restate", world, JSON.stringify(variables), String(port));
  let host = await start();
  await server.register(`http://127.0.0.1:${port}`);
  const flows = await awsFlows(variables);
  const runs = restateRuns({ ingress: server.ingress });
  const flow = (name: string) => {
    const found = flows.get(name);
    if (found === undefined) throw new Error(`no workflow ${name}`);
    return found;
  };
  return {
    begin: (name, input, options) => runs.begin(flow(name), input, options),
    result: (name, runId) => runs.result(flow(name), runId),
    died: () => host.died,
    restart: async () => {
      host = await start();
    },
    restartEngine: () => server.restart(),
    stop: async () => {
      await host.kill();
      await server.stop();
    },
  };
}

export const ENGINES: Readonly<Record<string, (world: string, variables: Variables) => Promise<AwsEngine>>> = {
  dbos: onDbos,
  restate: onRestate,
};
