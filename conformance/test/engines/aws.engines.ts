import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { missingServer } from "../../../packages/store-postgres/test/server/postgres-server.ts";
import { missingRestate } from "../../../packages/workflow-restate/test/server/restate-server.ts";
import { AWS_INPUTS } from "./aws-flows.ts";
import { type AwsSetup, type SetupRun, startSetup } from "./aws-setup.ts";
import { ENGINES } from "./engine-hosts.ts";
import { type Kill, tableOf } from "./kills.ts";

const missing: Readonly<Record<string, string | null>> = { dbos: missingServer(), restate: missingRestate() };
/** Every so many points of a run its host is killed, in a run of its own; 1 is each of them. */
const stride = Number(process.env["SLIPWAY_ENGINE_STRIDE"] ?? "7");
const isSoak = stride === 1;
/** So many runs of a flow are under way at once, each on servers of its own. */
const SETUPS = isSoak ? 3 : 1;
const kills: Kill[] = [];
afterAll(() => {
  if (kills.length > 0) console.log(`\n${tableOf(kills)}`);
});

describe.each(Object.keys(ENGINES))("the workflows of AWS on %s", (name) => {
  const isMissing = missing[name] !== null;
  let setups: readonly AwsSetup[] = [];
  beforeAll(async () => {
    if (!isMissing) setups = await Promise.all(Array.from({ length: SETUPS }, () => startSetup(name)));
  });
  afterAll(async () => {
    await Promise.all(setups.map((setup) => setup.stop()));
  });

  /** Kills a flow at one point after the other, until a run comes to none that is left. */
  const killAll = async (flow: string, withEngine: (points: number) => boolean): Promise<void> => {
    let next = isSoak ? 0 : 1;
    let isOver = false;
    const wrong: SetupRun[] = [];
    const work = async (setup: AwsSetup): Promise<void> => {
      while (!isOver) {
        const points = next;
        next += stride;
        const run = await setup.runWith(flow, points, withEngine(points));
        kills.push(run);
        if (run.isFailed !== flow.endsWith("fails") || run.leaked.length + run.leftovers > 0) wrong.push(run);
        isOver ||= run.point === null;
      }
    };
    const stop = (error: unknown): never => {
      isOver = true;
      throw error;
    };
    const ended = await Promise.allSettled(setups.map((setup) => work(setup).catch(stop)));
    expect([...wrong, ...ended.filter(({ status }) => status === "rejected")]).toEqual([]);
  };

  const flows = Object.keys(AWS_INPUTS).flatMap((flow) => [flow, `${flow} fails`]);
  const limits = isSoak ? { timeout: 3_600_000 } : {};
  test.skipIf(isMissing).each(flows)("%s, killed at every point that is tried: nothing is left", limits, (flow) =>
    // The first one with its engine; in the soak each of them, below.
    killAll(flow, (points) => !isSoak && points === 1),
  );
  test.skipIf(isMissing || !isSoak).each(flows)(
    "%s, killed with its engine at every point: nothing is left",
    limits,
    (flow) => killAll(flow, () => true),
  );
});
