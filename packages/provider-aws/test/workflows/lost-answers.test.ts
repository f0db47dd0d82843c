import type { Workflow } from "@slipway/core";
import { expect, test } from "vitest";
import type { AwsRegistration } from "../../src/index.ts";
import { type FlowWorld, flowWorld, runKilled } from "./flows.ts";

const GIB = 1024 ** 3;
const bare = (id: string): string => id.slice(id.indexOf("/") + 1);

/** The ids of the instances that a run answers with; null where it failed. */
type Run = (world: FlowWorld) => Promise<readonly string[] | null>;

const ran =
  <In, Out>(
    flowOf: (workflows: AwsRegistration["workflows"]) => Workflow<In, Out>,
    input: In,
    idsOf: (output: Out) => readonly string[],
  ): Run =>
  (world) =>
    runKilled(world, ({ workflows }) => flowOf(workflows), input, []).then(
      (output) => idsOf(output).map(bare),
      () => null,
    );

const FLOWS: Readonly<Record<string, Run>> = {
  multiAz: ran(
    ({ multiAz }) => multiAz,
    { spawn: { spec: "m5.large", ports: [{ port: 22 }] } },
    ({ instanceId }) => [instanceId],
  ),
  warmVolumes: ran(
    ({ warmVolumes }) => warmVolumes,
    { spawn: { spec: "m5.large" }, pool: "data", sizeBytes: GIB },
    ({ instanceId }) => [instanceId],
  ),
  spotFleet: ran(
    ({ spotFleet }) => spotFleet,
    { spawn: {}, specs: ["m5.large", "m6i.large"], count: 2 },
    ({ members }) => members.map(({ instanceId }) => instanceId),
  ),
};

const ACTIONS = [
  "RunInstances",
  "CreateVolume",
  "AttachVolume",
  "CreateFleet",
  "CreateLaunchTemplate",
  "DeleteLaunchTemplate",
  "CreateSecurityGroup",
  "AuthorizeSecurityGroupIngress",
];

const cases = Object.keys(FLOWS).flatMap((flow) =>
  ACTIONS.flatMap((action) => [1, 2, 4].map((times) => [flow, action, times] as const)),
);

test.each(cases)("%s leaves nothing beside its answer where %s is done and not answered, %i times", async (...one) => {
  const [flow, operation, times] = one;
  const world = flowWorld({ readLagMs: 2_500 });
  world.emulator.control.faults.add({ operation, when: "reply-lost", times });
  const ids = (await FLOWS[flow]?.(world)) ?? null;
  await world.emulator.clock.sleep(60_000);
  const pool = world.emulator.control
    .volumes()
    .filter(({ tags, state }) => "slipway:pool" in tags && state !== "deleting");
  const live = world.live().map(({ id }) => bare(id));
  expect(live.toSorted()).toEqual((ids ?? []).toSorted());
  expect(pool).toHaveLength(flow === "warmVolumes" && ids !== null ? 1 : 0);
  expect(world.emulator.control.launchTemplates()).toEqual([]);
});
