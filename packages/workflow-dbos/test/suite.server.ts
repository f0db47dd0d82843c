import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { DBOS } from "@dbos-inc/dbos-sdk";
import { describeWorkflowEngine } from "@slipway/contract-tests/vitest";
import { type EngineHarness, startEngineHost } from "@slipway/contract-tests/workflow-engine";
import { afterAll, beforeAll } from "vitest";
import { missingServer, type PostgresServer, startPostgres } from "../../store-postgres/test/server/postgres-server.ts";

const missing = missingServer();
const program = fileURLToPath(new URL("children/host.ts", import.meta.url));
let server: PostgresServer;
let databases = 0;
let copied = Promise.resolve();

const urlOf = (database: string): string =>
  `postgresql://slipway@localhost/${database}?host=${encodeURIComponent(server.socket)}`;

beforeAll(async () => {
  if (missing !== null) return;
  server = await startPostgres();
  await DBOS.migrate(urlOf("model"));
});
afterAll(async () => {
  await server?.stop();
});

const harness: EngineHarness = {
  create: async () => {
    databases += 1;
    const own = `suite_${databases}`;
    // Copied one after the other: what DBOS lays out for several databases at once can deadlock.
    copied = copied.then(async () => void (await server.pool().query(`create database ${own} template model`)));
    await copied;
    const world = await mkdtemp(join(tmpdir(), "slipway-dbos-"));
    const start = async () => {
      const args = ["--conditions=@slipway/source", "--no-warnings", program, urlOf(own), world];
      const one = startEngineHost(process.execPath, args, {
        NODE_COMPILE_CACHE: process.env["NODE_COMPILE_CACHE"] ?? "",
      });
      await one.ready;
      return one;
    };
    let host = await start();
    return {
      world,
      begin: (...given) => host.begin(...given),
      result: (...given) => host.result(...given),
      cancel: (...given) => host.cancel(...given),
      died: () => host.died,
      restart: async () => {
        host = await start();
      },
      restartEngine: () => server.restart(),
      dispose: async () => {
        await host.kill();
        await rm(world, { recursive: true });
      },
    };
  },
};

describeWorkflowEngine("DBOS", harness, { missing, runsAll: true });
