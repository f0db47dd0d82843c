import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describeWorkflowEngine } from "@slipway/contract-tests/vitest";
import { type EngineHarness, engineSuite, startEngineHost } from "@slipway/contract-tests/workflow-engine";
import type { Workflow } from "@slipway/core";
import { freePort } from "@slipway/provider-kit/emulator";
import { afterAll, beforeAll, expect, test } from "vitest";
import { restateRuns } from "../src/index.ts";
import { missingRestate, type RestateServer, startRestate } from "./server/restate-server.ts";

const missing = missingRestate();
const program = fileURLToPath(new URL("children/host.ts", import.meta.url));

let server: RestateServer;
let cases = 0;

beforeAll(async () => {
  if (missing === null) server = await startRestate();
});
afterAll(async () => {
  await server?.stop();
});

const harness: EngineHarness = {
  create: async () => {
    const world = await mkdtemp(join(tmpdir(), "slipway-restate-world-"));
    // The cases have one server, and use the same run ids.
    cases += 1;
    const namespace = `case${cases}`;
    const port = await freePort();
    const { workflows } = engineSuite(world);
    const flow = (type: string): Workflow => {
      const found = workflows.find((one) => one.type === type);
      if (found === undefined) throw new Error(`no workflow ${type}`);
      return found;
    };
    const runs = restateRuns({ ingress: server.ingress, namespace });
    const start = async () => {
      const args = ["--conditions=@slipway/source", "--no-warnings", program, world, String(port), namespace];
      const one = startEngineHost(process.execPath, args, { RESTATE_LOGGING: "ERROR" });
      await one.ready;
      return one;
    };
    let host = await start();
    await server.register(`http://127.0.0.1:${port}`);
    return {
      world,
      begin: (type, input, options) => runs.begin(flow(type), input, options),
      result: (type, runId) => runs.result(flow(type), runId),
      cancel: (type, runId) => runs.cancel(flow(type), runId),
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

describeWorkflowEngine("Restate", harness, { missing, runsAll: true });

test.skipIf(missing !== null)(
  "of two begins of one run at the same time with other inputs, one is MISMATCH",
  async () => {
    const fixture = await harness.create();
    try {
      for (let round = 0; round < 20; round += 1) {
        const begin = (sleepMs: number) => fixture.begin("three", { sleepMs }, { runId: `at once ${round}` });
        const ended = await Promise.allSettled([begin(1), begin(2)]);
        const codes = ended.map((one) => (one.status === "fulfilled" ? "ok" : Reflect.get(Object(one.reason), "code")));
        expect(codes.toSorted(), `round ${round}`).toEqual(["MISMATCH", "ok"]);
      }
    } finally {
      await fixture.dispose();
    }
  },
);
