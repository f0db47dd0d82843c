import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { engineWorld } from "@slipway/contract-tests/workflow-engine";
import { isWorkflowError } from "@slipway/control";
import { type Ec2EmulatorServer, serve } from "@slipway/provider-aws/emulator";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { missingServer } from "../../../packages/store-postgres/test/server/postgres-server.ts";
import { missingRestate } from "../../../packages/workflow-restate/test/server/restate-server.ts";
import { AWS_INPUTS } from "./aws-flows.ts";
import { type AwsEngine, ENGINES } from "./engine-hosts.ts";

const missing: Readonly<Record<string, string | null>> = { dbos: missingServer(), restate: missingRestate() };
/** Every so many points of a run its host is killed, in a run of its own; 1 is each of them. */
const stride = Number(process.env["SLIPWAY_ENGINE_STRIDE"] ?? "7");

const bare = (id: string): string => id.slice(id.indexOf("/") + 1);

/** The ids of the instances in an output, whichever workflow's it is. */
function idsOf(output: unknown): readonly string[] {
  const { instanceId, members = [] } = Object(output) as { instanceId?: string; members?: { instanceId: string }[] };
  return [...(instanceId === undefined ? [] : [instanceId]), ...members.map((member) => member.instanceId)].map(bare);
}

describe.each(Object.keys(ENGINES))("the workflows of AWS on %s", (name) => {
  const isMissing = missing[name] !== null;
  let folder: string;
  let aws: Ec2EmulatorServer;
  let engine: AwsEngine;
  beforeAll(async () => {
    if (isMissing) return;
    folder = await mkdtemp(join(tmpdir(), "slipway-aws-engines-"));
    aws = await serve({ bootMs: 50, endMs: 50, limits: null });
    const start = ENGINES[name];
    if (start === undefined) throw new Error(`no engine ${name}`);
    engine = await start(folder, aws.variables);
  });
  afterAll(async () => {
    if (isMissing) return;
    await engine.stop();
    await aws.close();
    await rm(folder, { recursive: true });
  });

  const live = (): readonly string[] =>
    aws.emulator.control
      .instances()
      .filter((instance) => instance.live)
      .map(({ id }) => bare(id));

  /** Runs a flow to its end with a host that dies after so many points. */
  const runWith = async (flow: string, points: number, withEngine: boolean) => {
    const world = engineWorld(folder);
    const runId = `${points} ${withEngine}`;
    world.dieAfter(points);
    const input = AWS_INPUTS[flow.replace(" fails", "") as keyof typeof AWS_INPUTS];
    const death = engine.died().then(() => "died" as const);
    const begun = engine.begin(flow, input, { runId }).catch((error: unknown) => {
      // It may have died before it could answer: then the run goes on below.
      if (isWorkflowError(error)) throw error;
    });
    await Promise.race([begun, death]);
    const end = () =>
      engine.result(flow, runId).then(
        (output) => ({ output, leftovers: [] as readonly unknown[], isFailed: false }),
        (error: unknown) => {
          if (isWorkflowError(error)) return { output: null, leftovers: error.leftovers, isFailed: true };
          throw error;
        },
      );
    const ended = end();
    const first = await Promise.race([ended, death, ended.catch(() => death)]);
    if (first !== "died") return { ...first, isKilled: false };
    if (withEngine) await engine.restartEngine();
    await engine.restart();
    return { ...(await (name === "dbos" || withEngine ? end() : ended)), isKilled: true };
  };

  test.skipIf(isMissing).each(Object.keys(AWS_INPUTS).flatMap((flow) => [flow, `${flow} fails`]))(
    "%s, killed at every point that is tried: nothing is left",
    async (flow) => {
      for (let points = 1; ; points += stride) {
        const before = live();
        const { output, leftovers, isFailed, isKilled } = await runWith(flow, points, points === 1);
        const after = live().filter((id) => !before.includes(id));
        const how = `${flow}, killed after ${points} points`;
        expect(isFailed, how).toBe(flow.endsWith("fails"));
        expect(leftovers, how).toEqual([]);
        expect(after.toSorted(), how).toEqual(idsOf(output).toSorted());
        expect(aws.emulator.control.launchTemplates(), how).toEqual([]);
        if (!isKilled) break;
      }
    },
  );
});
