import { describe, expect, test } from "vitest";
import { refusedWith } from "../world.ts";
import { flowWorld, runKilled, STORES, storedWorld, until, workflowFailure } from "./flows.ts";

const GIB = 1024 ** 3;
const POOL = "data";
const input = { spawn: { spec: "m5.large" }, pool: POOL, sizeBytes: 10 * GIB };

type World = ReturnType<typeof flowWorld>;
const warmed = (world: World, key: string, zone: string) =>
  world.provider.warmVolume({ key, pool: POOL, sizeBytes: 10 * GIB, zone });
const isFreeOfPool = ({ tags, state }: { readonly tags: object; readonly state: string }) =>
  "slipway:pool" in tags && state === "available";
const attachedTo = (world: World, instanceId: string) =>
  world.emulator.control
    .volumes()
    .filter(({ tags, attachment }) => "slipway:pool" in tags && `us-east-1/${attachment?.instanceId}` === instanceId)
    .map(({ id }) => `us-east-1/${id}`);

describe("an instance with a volume of the pool", () => {
  test("goes to the zone that has a free one, and takes it", async () => {
    const world = flowWorld();
    const volume = await warmed(world, "v1", "us-east-1c");
    await world.emulator.clock.sleep(5_000);
    const output = await runKilled(world, ({ workflows }) => workflows.warmVolumes, input, []);
    expect(output).toMatchObject({ zone: "us-east-1c", volumeId: volume.id, warm: true });
    expect(attachedTo(world, output.instanceId)).toEqual([volume.id]);
  });

  test("gets a new, empty one where none is free", async () => {
    const world = flowWorld();
    const output = await runKilled(world, ({ workflows }) => workflows.warmVolumes, input, []);
    expect(output.warm).toBe(false);
    expect(attachedTo(world, output.instanceId)).toEqual([output.volumeId]);
    await world.provider.releaseWarmVolume(output.volumeId);
    await world.emulator.clock.sleep(10_000);
    const [back] = await world.provider.listVolumes();
    expect(back).toMatchObject({ id: output.volumeId, pool: POOL, status: "available" });
  });

  test("goes elsewhere, and cold, where the pool's zone has no capacity", async () => {
    const world = flowWorld();
    await warmed(world, "v1", "us-east-1a");
    await world.emulator.clock.sleep(5_000);
    world.emulator.control.setCapacity({ zone: "us-east-1a", type: "m5.large" }, 0);
    const output = await runKilled(world, ({ workflows }) => workflows.warmVolumes, input, []);
    expect(output.zone).not.toBe("us-east-1a");
    expect(output.warm).toBe(false);
  });

  test.each(["after:make a cold volume", "before:attach the cold volume"])(
    "that is killed %s fails where another has claimed its volume meanwhile, and leaves it that one",
    async (point) => {
      const world = flowWorld();
      const limited = { ...input, zones: ["us-east-1a"] };
      const claimed: (string | undefined)[] = [];
      const [place] = await world.provider.placements({ spec: "m5.large" });
      const other = await world.provider.spawn({ spec: "m5.large", ...place, key: "other" });
      const flow = runKilled(world, ({ workflows }) => workflows.warmVolumes, limited, [point], "run", 20_000);
      const claim = until(() => world.emulator.control.volumes().some(isFreeOfPool), world).then(async () => {
        claimed.push((await world.provider.claimWarmVolume({ pool: POOL, instanceId: other.id }))?.id);
      });
      const error = await workflowFailure(flow);
      await claim;
      await world.emulator.clock.sleep(60_000);
      expect(error.leftovers).toEqual([]);
      expect(claimed).toHaveLength(1);
      expect(attachedTo(world, other.id)).toEqual(claimed);
      expect(world.live().map(({ id }) => `us-east-1/${id}`)).toEqual([other.id]);
    },
  );

  test("two runs that want one volume: one has it, the other a new one", async () => {
    const world = flowWorld();
    await warmed(world, "v1", "us-east-1a");
    await world.emulator.clock.sleep(5_000);
    const other = { ...flowWorld(), ...world, journal: flowWorld().journal };
    const limited = { ...input, zones: ["us-east-1a"] };
    const outputs = await Promise.all([
      runKilled(world, ({ workflows }) => workflows.warmVolumes, limited, [], "run-1"),
      runKilled(other, ({ workflows }) => workflows.warmVolumes, limited, [], "run-2"),
    ]);
    expect(outputs.map(({ warm }) => warm).toSorted()).toEqual([false, true]);
    expect(new Set(outputs.map(({ volumeId }) => volumeId)).size).toBe(2);
  });
});

describe("killed at any point", () => {
  const steps = [
    "choose the zones",
    "launch in us-east-1a",
    "claim a warm volume",
    "make a cold volume",
    "attach the cold volume",
  ];
  const points = steps.flatMap((step) => [`before:${step}`, `ran:${step}`, `after:${step}`]);
  test.each(points.flatMap((point) => STORES.map((store) => [point, store] as const)))(
    "%s, kept in %s",
    async (point, store) => {
      for (const isWarm of [true, false]) {
        const world = await storedWorld(store, { readLagMs: 1_000 });
        if (isWarm) await warmed(world, "v1", "us-east-1a");
        await world.emulator.clock.sleep(5_000);
        const limited = { ...input, zones: ["us-east-1a"] };
        const output = await runKilled(world, ({ workflows }) => workflows.warmVolumes, limited, [point]);
        expect(output.warm).toBe(isWarm);
        expect(world.live()).toHaveLength(1);
        expect(attachedTo(world, output.instanceId)).toEqual([output.volumeId]);
        expect(await world.provider.listVolumes()).toHaveLength(1);
      }
    },
  );
});

test("a run that cannot get its volume takes the instance back, and leaves nothing", async () => {
  const world = flowWorld();
  world.emulator.control.denied.add("CreateVolume");
  const error = await workflowFailure(runKilled(world, ({ workflows }) => workflows.warmVolumes, input, []));
  expect(error.cause).toMatchObject({ code: "AUTH_ERROR" });
  expect(error.leftovers).toEqual([]);
  await world.emulator.clock.sleep(10_000);
  expect(world.live()).toEqual([]);
  expect(world.emulator.control.volumes()).toEqual([]);
});

describe("a run that goes on after EC2 has forgotten its tokens", () => {
  test("has one cold volume", async () => {
    const world = flowWorld();
    const kills = ["ran:make a cold volume"];
    const rest = 13 * 3_600_000;
    const output = await runKilled(world, ({ workflows }) => workflows.warmVolumes, input, kills, "run", rest);
    expect(kills).toEqual([]);
    expect(attachedTo(world, output.instanceId)).toEqual([output.volumeId]);
    expect(await world.provider.listVolumes()).toHaveLength(1);
  });
});

describe("a run that fails", () => {
  const failed = (world: World) =>
    workflowFailure(runKilled(world, ({ workflows }) => workflows.warmVolumes, input, []));

  test("after it has claimed a volume gives it back before it ends the instance", async () => {
    const order: string[] = [];
    const world = flowWorld(
      {},
      {
        wire: async ({ action }, send) => {
          if (/^(AttachVolume|DetachVolume|TerminateInstances)$/.test(action)) order.push(action);
          // The look that follows the claim, and no other.
          if (action !== "DescribeVolumes" || order.join() !== "AttachVolume") return await send();
          order.push("refused");
          return refusedWith("UnauthorizedOperation", "no", 403);
        },
      },
    );
    const volume = await warmed(world, "v1", "us-east-1a");
    await world.emulator.clock.sleep(5_000);
    const error = await failed(world);
    expect(error.cause).toMatchObject({ code: "AUTH_ERROR", effect: "applied" });
    expect(error.leftovers).toEqual([]);
    expect(order).toEqual(["AttachVolume", "refused", "DetachVolume", "TerminateInstances"]);
    expect(await world.provider.listVolumes()).toMatchObject([{ id: volume.id, status: "available" }]);
    expect(world.live()).toEqual([]);
  });

  test("after it has made a volume deletes that", async () => {
    const world = flowWorld();
    world.emulator.control.denied.add("AttachVolume");
    const error = await failed(world);
    expect(error.cause).toMatchObject({ code: "AUTH_ERROR" });
    expect(error.leftovers).toEqual([]);
    await world.emulator.clock.sleep(10_000);
    expect(world.emulator.control.volumes()).toEqual([]);
    expect(world.live()).toEqual([]);
  });

  test("where it is not known whether a volume was made looks for it, and deletes it", async () => {
    const world = flowWorld({ readLagMs: 2_500 });
    const { faults } = world.emulator.control;
    faults.add({ operation: "CreateVolume", when: "before", row: "connection-reset", times: 3 });
    faults.add({ operation: "CreateVolume", when: "reply-lost" });
    const error = await failed(world);
    expect(error.leftovers).toEqual([]);
    expect(world.sent("CreateVolume")).toHaveLength(4);
    await world.emulator.clock.sleep(10_000);
    expect(world.emulator.control.volumes()).toEqual([]);
    expect(world.live()).toEqual([]);
  });
});
