import { describe, expect, test } from "vitest";
import { refusedWith, type Wire } from "../world.ts";
import { flowWorld, runKilled, STORES, storedWorld, workflowFailure } from "./flows.ts";

const ZONES = ["us-east-1a", "us-east-1b", "us-east-1c"];
const input = { spawn: { spec: "m5.large" } };

const without = (world: ReturnType<typeof flowWorld>, ...zones: readonly string[]): void => {
  for (const zone of zones) world.emulator.control.setCapacity({ zone, type: "m5.large" }, 0);
};

describe("one instance in whichever zone has capacity", () => {
  test.each([1, 2, 3])("with capacity in %i of three zones", async (count) => {
    const world = flowWorld();
    const closed = ZONES.slice(0, 3 - count);
    without(world, ...closed);
    const output = await runKilled(world, ({ workflows }) => workflows.multiAz, input, []);
    expect(closed).not.toContain(output.zone);
    expect(output.attempts.at(-1)).toEqual({ zone: output.zone, outcome: "ok" });
    expect(world.live().map(({ zone }) => zone)).toEqual([output.zone]);
    expect(world.sent("RunInstances").length).toBeLessThanOrEqual(3);
  });

  test("with none: it fails, says where it asked, and leaves nothing", async () => {
    const world = flowWorld();
    without(world, ...ZONES);
    const error = await workflowFailure(runKilled(world, ({ workflows }) => workflows.multiAz, input, []));
    expect(String(error.cause)).toMatch(/us-east-1a: CAPACITY_ERROR/);
    expect(error.leftovers).toEqual([]);
    expect(world.emulator.control.instances()).toEqual([]);
  });

  test("only in the zones that the caller allows", async () => {
    const world = flowWorld();
    const output = await runKilled(
      world,
      ({ workflows }) => workflows.multiAz,
      { ...input, zones: ["us-east-1c"] },
      [],
    );
    expect(output.zone).toBe("us-east-1c");
  });

  test("a quota is no matter of zones: it is not asked for elsewhere", async () => {
    const world = flowWorld({ vcpuQuota: 0 });
    await workflowFailure(runKilled(world, ({ workflows }) => workflows.multiAz, input, []));
    expect(world.sent("RunInstances")).toHaveLength(1);
  });

  test.each(["VcpuLimitExceeded", "OptInRequired"] as const)(
    "%s of a region is tried in none of its other zones, and in the next region",
    async (row) => {
      const world = flowWorld({}, { regions: ["us-east-1", "eu-central-1"] });
      world.emulator.control.faults.add({ operation: "RunInstances", when: "before", row });
      const output = await runKilled(world, ({ workflows }) => workflows.multiAz, input, []);
      expect(output.region).toBe("eu-central-1");
      expect(world.sent("RunInstances").map(({ region }) => region)).toEqual(["us-east-1", "eu-central-1"]);
    },
  );

  test("a quota of spot is tried once in each region, and stays a quota", async () => {
    const world = flowWorld({ spotVcpuQuota: 0 }, { regions: ["us-east-1", "eu-central-1"] });
    const spawn = { ...input.spawn, spot: {} };
    const { cause } = await workflowFailure(runKilled(world, ({ workflows }) => workflows.multiAz, { spawn }, []));
    expect(cause).toMatchObject({ code: "QUOTA_EXCEEDED", effect: "none", exhausted: true });
    expect(world.sent("RunInstances").map(({ region }) => region)).toEqual(["us-east-1", "eu-central-1"]);
  });

  test("an image's terms are no matter of places", async () => {
    const terms = "In order to use this AWS Marketplace product you need to accept terms and subscribe.";
    let asked = 0;
    const wire: Wire = async ({ action }, send) => {
      if (action !== "RunInstances") return await send();
      asked += 1;
      return refusedWith("OptInRequired", terms, 401);
    };
    const world = flowWorld({}, { wire, regions: ["us-east-1", "eu-central-1"] });
    const { cause } = await workflowFailure(runKilled(world, ({ workflows }) => workflows.multiAz, input, []));
    expect(cause).toMatchObject({ code: "AUTH_ERROR", scope: "request" });
    expect(asked).toBe(1);
  });

  test("whoever asks next in this process goes straight to the good zone", async () => {
    const world = flowWorld();
    without(world, "us-east-1a", "us-east-1b");
    const { workflows, provider } = await world.process();
    await runKilled(
      { ...world, process: async () => ({ workflows, provider }) as never },
      () => workflows.multiAz,
      input,
      [],
    );
    const [best] = await provider.placements({ spec: "m5.large" });
    const before = world.sent("RunInstances").length;
    const { zone } = await provider.spawn({ spec: "m5.large", ...best });
    expect(zone).toBe("us-east-1c");
    expect(world.sent("RunInstances").length - before).toBe(1);
    expect(world.events.filter(({ type }) => type === "offering.unavailable")).toHaveLength(2);
  });
});

describe("killed at any point", () => {
  const steps = ["choose the zones", ...ZONES.map((zone) => `launch in ${zone}`)];
  const points = steps.flatMap((step) => [`before:${step}`, `ran:${step}`, `after:${step}`]);
  test.each(points.flatMap((point) => STORES.map((store) => [point, store] as const)))(
    "%s, kept in %s",
    async (point, store) => {
      for (const closed of [[], ["us-east-1a"], ["us-east-1a", "us-east-1b"]]) {
        const world = await storedWorld(store, { readLagMs: 2_000 });
        without(world, ...closed);
        const output = await runKilled(world, ({ workflows }) => workflows.multiAz, input, [point]);
        expect(world.live().map(({ id }) => id.slice(id.indexOf("/") + 1))).toEqual([output.instanceId.slice(10)]);
      }
    },
  );
});
