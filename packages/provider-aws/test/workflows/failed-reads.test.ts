import { runWorkflow } from "@slipway/control";
import { isProviderError } from "@slipway/core";
import { describe, expect, test } from "vitest";
import type { AwsRegistration } from "../../src/index.ts";
import { failure, refusedWith, through, type Wire } from "../world.ts";
import { type FlowWorld, flowWorld, workflowFailure } from "./flows.ts";

const GIB = 1024 ** 3;
const READS = /^Describe/;

/** Refuses one read once a write has gone through: credentials that run out in between. */
function expiringAfter(write: string): Wire {
  let written = false;
  let refused = false;
  return async ({ action }, send) => {
    if (written && !refused && READS.test(action)) {
      refused = true;
      return refusedWith("ExpiredToken");
    }
    written ||= action === write;
    return await send();
  };
}

const run = async (world: FlowWorld, start: (registration: AwsRegistration) => Promise<unknown>) =>
  start(await world.process());

const multi = (world: FlowWorld) =>
  run(world, ({ workflows }) =>
    runWorkflow(
      workflows.multiAz,
      { spawn: { spec: "m5.large" } },
      { journal: world.journal, clock: world.emulator.clock, runId: "run" },
    ),
  );

const warm = (world: FlowWorld) =>
  run(world, ({ workflows }) =>
    runWorkflow(
      workflows.warmVolumes,
      { spawn: { spec: "m5.large" }, pool: "data", sizeBytes: GIB },
      { journal: world.journal, clock: world.emulator.clock, runId: "run" },
    ),
  );

describe("credentials that run out between a write and the next read", () => {
  test.each([
    ["multiAz", "RunInstances", multi],
    ["warmVolumes", "RunInstances", warm],
    ["warmVolumes", "CreateVolume", warm],
    ["warmVolumes", "AttachVolume", warm],
  ] as const)("%s, after %s nothing is left, or it ends well", async (_name, write, flow) => {
    const world = flowWorld({ readLagMs: 2_000 }, { wire: expiringAfter(write) });
    const outcome = await flow(world).then(
      () => null,
      (error: unknown) => error,
    );
    await world.emulator.clock.sleep(60_000);
    if (outcome === null) return;
    expect(world.live()).toEqual([]);
    const left = world.emulator.control.volumes().filter(({ tags }) => "slipway:pool" in tags);
    expect(left.filter(({ state }) => state !== "deleting")).toEqual([]);
  });

  test("the step's error says that the instance was made", async () => {
    const world = flowWorld({}, { wire: expiringAfter("RunInstances") });
    const { cause } = await workflowFailure(multi(world));
    expect(isProviderError(cause) && [cause.code, cause.effect]).toEqual(["AUTH_ERROR", "applied"]);
  });
});

test("an undo does not believe a listing that began before it had to show the instance, and is answered later", async () => {
  const expiring = expiringAfter("RunInstances");
  let late = 1;
  const world: FlowWorld = flowWorld(
    { readLagMs: 20_000 },
    {
      readAfterWriteMs: 21_000,
      wire: async (request, send) => {
        const answer = await expiring(request, send);
        if (request.parameters.get("Filter.1.Name") !== "tag:slipway:owner" || late === 0) return answer;
        late -= 1;
        await world.emulator.clock.sleep(25_000);
        return answer;
      },
    },
  );
  const { leftovers } = await workflowFailure(multi(world));
  expect([late, leftovers, world.live()]).toEqual([0, [], []]);
});

describe("reads that decide what a refused write came to", () => {
  test("a quota refuses a repetition, and whether something is there cannot be read: unknown", async () => {
    const world = flowWorld();
    let ran = false;
    const provider = through(world, async ({ action }, send) => {
      if (ran && READS.test(action)) return refusedWith("ExpiredToken");
      if (action !== "RunInstances") return await send();
      ran = true;
      return refusedWith("VcpuLimitExceeded");
    });
    const error = await failure(provider.spawn({ key: "one", spec: "m5.large" }));
    expect([error.code, error.effect]).toEqual(["AUTH_ERROR", "unknown"]);
  });

  test("another request has the token, and what it made cannot be read: unknown", async () => {
    const world = flowWorld();
    let ran = false;
    const provider = through(world, async ({ action }, send) => {
      if (ran && READS.test(action)) return refusedWith("ExpiredToken");
      if (action !== "RunInstances") return await send();
      ran = true;
      return refusedWith("IdempotentParameterMismatch");
    });
    const error = await failure(provider.spawn({ key: "one", spec: "m5.large" }));
    expect([error.code, error.effect]).toEqual(["AUTH_ERROR", "unknown"]);
  });

  test("a volume's token is known, and the volume cannot be read: applied where it was named, else unknown", async () => {
    const world = flowWorld();
    let asked = false;
    const provider = through(world, async ({ action }, send) => {
      if (asked && READS.test(action)) return refusedWith("ExpiredToken");
      if (action !== "CreateVolume") return await send();
      asked = true;
      return refusedWith("IdempotentParameterMismatch");
    });
    const error = await failure(provider.createVolume({ key: "one", sizeBytes: GIB }));
    expect([error.code, error.effect]).toEqual(["AUTH_ERROR", "unknown"]);
  });

  test("a repeated answer names an old volume that cannot be read: applied", async () => {
    const world = flowWorld({ readLagMs: 0 });
    await world.provider.createVolume({ key: "one", sizeBytes: GIB, zone: "us-east-1a" });
    await world.emulator.clock.sleep(120_000);
    let asked = false;
    const provider = through(world, async ({ action }, send) => {
      if (asked && READS.test(action)) return refusedWith("ExpiredToken");
      // The listing does not show it: only the token leads to it.
      if (action === "DescribeVolumes") return await send((parameters) => parameters.set("Filter.1.Value.1", "nobody"));
      if (action === "CreateVolume") asked = true;
      return await send();
    });
    const error = await failure(provider.createVolume({ key: "one", sizeBytes: GIB, zone: "us-east-1a" }));
    expect([error.code, error.effect]).toEqual(["AUTH_ERROR", "applied"]);
  });

  test("a volume is taken, perhaps by this very instance, and that cannot be read: unknown", async () => {
    const world = flowWorld({ readLagMs: 0, bootMs: 0 });
    const { id } = await world.provider.spawn({ key: "one", spec: "m5.large" });
    const { zone = "" } = (await world.provider.get(id)) ?? {};
    await world.provider.warmVolume({ key: "disk", pool: "data", sizeBytes: GIB, zone });
    await world.emulator.clock.sleep(60_000);
    let asked = false;
    const provider = through(world, async ({ action }, send) => {
      if (asked && READS.test(action)) return refusedWith("ExpiredToken");
      if (action !== "AttachVolume") return await send();
      asked = true;
      await send();
      return refusedWith("VolumeInUse");
    });
    const error = await failure(provider.claimWarmVolume({ pool: "data", instanceId: id }));
    expect([error.code, error.effect]).toEqual(["AUTH_ERROR", "unknown"]);
  });

  test("an image's name is taken, and that image cannot be read: unknown", async () => {
    const world = flowWorld({ readLagMs: 0, bootMs: 0 });
    const { id } = await world.provider.spawn({ key: "one", spec: "m5.large" });
    let asked = false;
    const provider = through(world, async ({ action }, send) => {
      if (asked && READS.test(action)) return refusedWith("ExpiredToken");
      if (action !== "CreateImage") return await send();
      asked = true;
      return refusedWith("InvalidAMIName.Duplicate");
    });
    const error = await failure(provider.createSnapshot(id, { key: "one" }));
    expect([error.code, error.effect]).toEqual(["AUTH_ERROR", "unknown"]);
  });
});
