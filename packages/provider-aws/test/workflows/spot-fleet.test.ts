import { describe, expect, test } from "vitest";
import { flowWorld, runKilled, STORES, storedWorld, workflowFailure } from "./flows.ts";

const SPECS = ["m5.large", "c5.large"];
const ZONES = ["us-east-1a", "us-east-1b", "us-east-1c"];
const input = { spawn: { labels: { team: "blue" } }, specs: SPECS, count: 2 };

type World = ReturnType<typeof flowWorld>;

const withoutSpot = (world: World): void => {
  for (const zone of ZONES) {
    for (const type of SPECS) world.emulator.control.setCapacity({ zone, type, market: "spot" }, 0);
  }
};
const bare = (id: string): string => id.slice(id.indexOf("/") + 1);
const liveIds = (world: World): readonly string[] =>
  world
    .live()
    .map(({ id }) => bare(id))
    .toSorted();

describe("a fleet on spot capacity", () => {
  test("has as many members as asked for, each with a key of its own, and leaves no template", async () => {
    const world = flowWorld();
    const { members } = await runKilled(world, ({ workflows }) => workflows.spotFleet, input, []);
    expect(members.map(({ market }) => market)).toEqual(["spot", "spot"]);
    expect(members.map(({ instanceId }) => bare(instanceId)).toSorted()).toEqual(liveIds(world));
    const found = await world.provider.list();
    expect(found.map(({ key }) => key).toSorted()).toEqual(members.map(({ key }) => key).toSorted());
    expect(found.every(({ isSpot, labels }) => isSpot && labels["team"] === "blue")).toBe(true);
    expect(world.emulator.control.launchTemplates()).toEqual([]);
    expect(world.sent("CreateFleet")).toHaveLength(2);
  });

  test("goes on demand where there is no spot, and the refused places are remembered", async () => {
    const world = flowWorld();
    withoutSpot(world);
    const { members } = await runKilled(world, ({ workflows }) => workflows.spotFleet, input, []);
    expect(members.map(({ market }) => market)).toEqual(["on-demand", "on-demand"]);
    expect(world.events.filter(({ type }) => type === "offering.unavailable").length).toBeGreaterThan(0);
  });

  test("fails where it may not, and leaves nothing", async () => {
    const world = flowWorld();
    withoutSpot(world);
    const flow = runKilled(world, ({ workflows }) => workflows.spotFleet, { ...input, onDemandFallback: false }, []);
    const error = await workflowFailure(flow);
    expect(error.cause).toMatchObject({ code: "CAPACITY_ERROR", effect: "none", exhausted: true });
    expect(error.leftovers).toEqual([]);
    expect(world.live()).toEqual([]);
    expect(world.emulator.control.launchTemplates()).toEqual([]);
  });

  test("with a terminateBy is refused before anything is made: its template keeps none", async () => {
    const world = flowWorld();
    const terminateBy = new Date(world.emulator.clock.now() + 3_600_000).toISOString();
    const flow = runKilled(world, ({ workflows }) => workflows.spotFleet, { ...input, spawn: { terminateBy } }, []);
    expect((await workflowFailure(flow)).cause).toMatchObject({ code: "INVALID_SPEC", effect: "none" });
    expect(world.sent("CreateLaunchTemplate")).toEqual([]);
  });

  test("of two architectures is refused before anything is made", async () => {
    const world = flowWorld();
    const flow = runKilled(
      world,
      ({ workflows }) => workflows.spotFleet,
      { ...input, specs: ["m5.large", "t4g.micro"] },
      [],
    );
    expect((await workflowFailure(flow)).cause).toMatchObject({ code: "INVALID_SPEC" });
  });
});

describe("killed at any point", () => {
  const steps = [
    "plan the fleet",
    "make the launch template",
    "launch member 1",
    "launch member 2",
    "delete the launch template",
  ];
  const points = steps.flatMap((step) => [`before:${step}`, `ran:${step}`, `after:${step}`]);
  test.each(points.flatMap((point) => STORES.map((store) => [point, store] as const)))(
    "%s, kept in %s",
    async (point, store) => {
      const world = await storedWorld(store, { readLagMs: 2_000 });
      const kills = [point];
      const { members } = await runKilled(world, ({ workflows }) => workflows.spotFleet, input, kills);
      expect(kills).toEqual([]);
      expect(members.map(({ instanceId }) => bare(instanceId)).toSorted()).toEqual(liveIds(world));
      expect(world.emulator.control.launchTemplates()).toEqual([]);
    },
  );

  const undone = ["make the launch template", "launch member 1", "launch member 3 on demand"];
  const undoPoints = undone.flatMap((step) => [`undo-before:${step}`, `undo-ran:${step}`, `undo-after:${step}`]);
  test.each([...points, ...undoPoints])("%s, and then undone", async (point) => {
    const world = flowWorld({ readLagMs: 2_000 });
    withoutSpot(world);
    for (const zone of ZONES) for (const type of SPECS) world.emulator.control.setCapacity({ zone, type }, 1);
    // Six places have capacity for one each: the seventh member is one too many.
    const kills = [point];
    await workflowFailure(runKilled(world, ({ workflows }) => workflows.spotFleet, { ...input, count: 7 }, kills));
    // A step behind the failure is never reached.
    expect(kills).toEqual(point.includes("delete the launch template") ? [point] : []);
    expect(liveIds(world)).toEqual([]);
    expect(world.emulator.control.launchTemplates()).toEqual([]);
  });
});

test.each(["shutting-down", "terminated"] as const)(
  "a member that is %s when its step is repeated is no member: another one is launched",
  async (state) => {
    const world = flowWorld({ endMs: 600_000 });
    let processes = 0;
    const between: typeof world = {
      ...world,
      process: () => {
        processes += 1;
        const [member] = world.live();
        if (processes === 2 && member !== undefined) world.emulator.control.setState(bare(member.id), state);
        return world.process();
      },
    };
    const killAt = ["ran:launch member 1"];
    const { members } = await runKilled(
      between,
      ({ workflows }) => workflows.spotFleet,
      { ...input, count: 1 },
      killAt,
    );
    expect(world.emulator.control.instances()).toHaveLength(2);
    expect(members.map(({ instanceId }) => bare(instanceId))).toEqual(liveIds(world));
  },
);
