import { describe, expect, test } from "vitest";
import { flowWorld, runKilled, until, workflowFailure } from "./flows.ts";

const SPECS = ["m5.large", "m6i.large"];
const ZONES = ["us-east-1a", "us-east-1b", "us-east-1c"];
const WATCH_MS = 120_000;
const input = { spawn: {}, specs: SPECS, count: 2, watchMs: WATCH_MS };

type World = ReturnType<typeof flowWorld>;

const run = (world: World, more: Partial<typeof input> = {}) =>
  runKilled(world, ({ workflows }) => workflows.spotFleet, { ...input, ...more }, []);
const launched = (world: World, count = 2) => until(() => world.live().length === count && world.live(), world);
const bare = (id: string): string => id.slice(id.indexOf("/") + 1);
const ids = (things: readonly { readonly id: string }[]) => things.map(({ id }) => bare(id)).toSorted();
const memberIds = (members: readonly { readonly instanceId: string }[]) =>
  members.map(({ instanceId }) => bare(instanceId)).toSorted();

function setRoom(world: World, instances: number): void {
  for (const zone of ZONES) {
    for (const type of SPECS) {
      for (const market of ["spot", "on-demand"] as const) {
        world.emulator.control.setCapacity({ zone, type, market }, instances);
      }
    }
  }
}

describe("while it watches, a fleet", () => {
  test("replaces a member that EC2 reclaims", async () => {
    const world = flowWorld();
    const flow = run(world);
    const [first] = await launched(world);
    world.emulator.control.interrupt(first?.id ?? "", 1_000);
    const { members, replaced, missing } = await flow;
    expect([replaced, missing]).toEqual([1, 0]);
    expect(memberIds(members)).toEqual(ids(world.live()));
  });

  test("replaces a member that EC2 ended for lack of capacity", async () => {
    const world = flowWorld();
    const flow = run(world);
    const [first] = await launched(world);
    const code = "Server.InsufficientInstanceCapacity";
    world.emulator.control.setState(first?.id ?? "", "terminated", { code, message: "Insufficient capacity." });
    const { members, replaced } = await flow;
    expect(replaced).toBe(1);
    expect(memberIds(members)).toEqual(ids(world.live()));
  });

  test("does not bring back a member that somebody ended by hand", async () => {
    const world = flowWorld();
    const flow = run(world);
    const [first] = await launched(world);
    await world.provider.terminate(first?.id ?? "");
    expect((await flow).replaced).toBe(0);
    expect(world.live()).toHaveLength(1);
  });

  test("takes no member for lost that EC2 does not show yet", async () => {
    const world = flowWorld({ readLagMs: 25_000 }, { readAfterWriteMs: 30_000 });
    const { members, replaced } = await run(world, { watchMs: 30_000 });
    expect(replaced).toBe(0);
    expect(memberIds(members)).toEqual(ids(world.live()));
  });

  test("takes no member for lost whose look is answered late", async () => {
    let late = 1;
    const world: World = flowWorld(
      { readLagMs: 25_000 },
      {
        readAfterWriteMs: 26_000,
        wire: async ({ action, parameters }, send) => {
          const answer = await send();
          if (action !== "DescribeInstances" || !parameters.has("InstanceId.1") || late === 0) return answer;
          late -= 1;
          await world.emulator.clock.sleep(28_000);
          return answer;
        },
      },
    );
    const { members, replaced } = await run(world, { watchMs: 30_000 });
    expect([late, replaced]).toEqual([0, 0]);
    expect(memberIds(members)).toEqual(ids(world.live()));
  });

  test("keeps the others where there is no capacity for another, and says how many are missing", async () => {
    const world = flowWorld();
    const flow = run(world);
    const [first, second] = await launched(world);
    setRoom(world, 0);
    world.emulator.control.interrupt(first?.id ?? "", 1_000);
    const { members, replaced, missing } = await flow;
    expect([replaced, missing]).toEqual([0, 1]);
    expect(memberIds(members)).toEqual([bare(second?.id ?? "")]);
    expect(ids(world.live())).toEqual([bare(second?.id ?? "")]);
  });

  test("tries again until there is capacity", async () => {
    const world = flowWorld();
    const flow = run(world);
    const [first] = await launched(world);
    setRoom(world, 0);
    world.emulator.control.interrupt(first?.id ?? "", 1_000);
    await world.emulator.clock.sleep(60_000);
    expect(world.live()).toHaveLength(1);
    setRoom(world, 5);
    const { members, replaced, missing } = await flow;
    expect([replaced, missing]).toEqual([1, 0]);
    expect(memberIds(members)).toEqual(ids(world.live()));
  });

  test("keeps its template from cleanup, and can replace a member hours later", async () => {
    const world = flowWorld();
    const flow = run(world, { watchMs: 2 * 3_600_000 });
    const [first] = await launched(world);
    await world.emulator.clock.sleep(90 * 60_000);
    const { cleanup } = await world.process();
    for (const item of await cleanup.planCleanup()) await cleanup.removeLeftover(item);
    expect(world.emulator.control.launchTemplates()).toHaveLength(1);
    world.emulator.control.interrupt(first?.id ?? "", 1_000);
    expect((await flow).replaced).toBe(1);
    expect(world.live()).toHaveLength(2);
  });
});

test("the template of a fleet that nobody goes on with is a leftover once its time is over", async () => {
  const world = flowWorld();
  world.emulator.control.denied.add("DeleteLaunchTemplate");
  await workflowFailure(run(world, { watchMs: 0 }));
  const { cleanup } = await world.process();
  expect(await cleanup.planCleanup()).toEqual([]);
  await world.emulator.clock.sleep(3_600_000);
  const [item, ...others] = await cleanup.planCleanup();
  expect(others).toEqual([]);
  expect(item).toMatchObject({ kind: "launch-template", region: "us-east-1" });
  world.emulator.control.denied.clear();
  if (item !== undefined) expect(await cleanup.removeLeftover(item)).toBe("removed");
  expect(world.emulator.control.launchTemplates()).toEqual([]);
});
