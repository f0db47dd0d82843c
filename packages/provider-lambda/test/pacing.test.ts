import { limits } from "@slipway/provider-kit/limits";
import { expect, test } from "vitest";
import { lambdaWorld } from "./world.ts";

const LAUNCHES = 300;
const DOCUMENTED = { requestsPerSecond: 1, secondsPerLaunch: 12 };

test("300 launches at once: none is throttled, and all are done as soon as the limits allow", async () => {
  const { provider, emulator } = lambdaWorld({ limits: DOCUMENTED, readLagMs: 2_000 }, DOCUMENTED);
  const begun = emulator.clock.now();
  const instances = await Promise.all(
    Array.from({ length: LAUNCHES }, (_, i) => provider.spawn({ spec: "gpu_1x_a10", key: `job-${i}` })),
  );
  const took = (emulator.clock.now() - begun) / 1_000;
  const { requests } = emulator.control;
  const launches = requests.filter(({ operation }) => operation === "launch");

  expect(new Set(instances.map(({ id }) => id)).size).toBe(LAUNCHES);
  expect(emulator.control.instances()).toHaveLength(LAUNCHES);
  expect(launches).toHaveLength(LAUNCHES);
  expect(requests.filter(({ status }) => status === 429)).toEqual([]);
  // The first launch may go at once, each other one 12 seconds after the one before.
  expect(took).toBeLessThanOrEqual((LAUNCHES - 1) * 12 * 1.05);
  expect(took).toBeGreaterThanOrEqual((LAUNCHES - 1) * 12);
}, 120_000);

test("300 terminations at once share the reads, and stay below the limit", async () => {
  const { provider, emulator } = lambdaWorld(
    { limits: { ...DOCUMENTED, secondsPerLaunch: 1 } },
    { ...DOCUMENTED, secondsPerLaunch: 1 },
  );
  const instances = await Promise.all(
    Array.from({ length: 100 }, (_, i) => provider.spawn({ spec: "gpu_1x_a10", key: `job-${i}` })),
  );
  const before = emulator.control.requests.length;
  await Promise.all(instances.map(({ id }) => provider.terminate(id)));
  const after = emulator.control.requests.slice(before);
  expect(after.filter(({ operation }) => operation === "list-instances").length).toBeLessThanOrEqual(3);
  expect(after.filter(({ status }) => status === 429)).toEqual([]);
  expect(emulator.control.instances().filter(({ status }) => status === "active" || status === "booting")).toEqual([]);
}, 120_000);

test("two providers that share the pacing share the account's budget", async () => {
  const world = lambdaWorld({ limits: DOCUMENTED });
  const { clock, fetch } = world.emulator;
  const pacing = limits({
    clock,
    buckets: [
      { operation: "*", capacity: 1, refillPerSecond: 1 },
      { operation: "launch", capacity: 1, refillPerSecond: 1 / 12 },
    ],
  });
  const runtime = { clock, fetch, limits: pacing };
  const providers = ["one", "two"].map((owner) => world.another({ owner, runtime }));
  await Promise.all(
    providers.flatMap((provider) => [1, 2, 3].map((n) => provider.spawn({ spec: "gpu_1x_a10", key: `${n}` }))),
  );
  expect(world.emulator.control.requests.filter(({ status }) => status === 429)).toEqual([]);
  expect(world.emulator.control.instances()).toHaveLength(6);
});

test("two providers that share nothing are throttled, wait, and get there", async () => {
  const world = lambdaWorld({ limits: DOCUMENTED }, DOCUMENTED);
  const providers = ["one", "two"].map((owner) => world.another({ owner }));
  await Promise.all(providers.map((provider) => provider.spawn({ spec: "gpu_1x_a10", key: "same" })));
  expect(world.emulator.control.requests.some(({ status }) => status === 429)).toBe(true);
  expect(
    world.emulator.control
      .instances()
      .map(({ owner }) => owner)
      .sort(),
  ).toEqual(["one", "two"]);
});

test("a key that another process has launched while this one waited for its turn is not launched again", async () => {
  const { provider, another, emulator } = lambdaWorld({ limits: null }, { ...DOCUMENTED, requestsPerSecond: 100 });
  const waiting = Promise.all([1, 2, 3, 4].map((n) => provider.spawn({ spec: "gpu_1x_a10", key: `job-${n}` })));
  await emulator.clock.sleep(5_000);
  const elsewhere = await another().spawn({ spec: "gpu_1x_a10", key: "job-4" });
  const spawned = await waiting;
  expect(spawned[3]?.id).toBe(elsewhere.id);
  expect(emulator.control.instances()).toHaveLength(4);
});

test("a place that was sold out while a launch waited for its turn is not tried", async () => {
  const { provider, emulator } = lambdaWorld({ limits: null }, DOCUMENTED);
  emulator.control.setCapacity("gpu_1x_a10", "us-west-1", 2);
  const spawned = await Promise.all([1, 2, 3].map((n) => provider.spawn({ spec: "gpu_1x_a10", key: `job-${n}` })));
  expect(spawned.map(({ region }) => region)).toEqual(["us-west-1", "us-west-1", "us-east-1"]);
});

test("a slow launch does not hold up the next one", async () => {
  const { provider, emulator } = lambdaWorld({ limits: null }, { ...DOCUMENTED, requestsPerSecond: 100 });
  emulator.control.faults.add({ operation: "spawn", when: "delayed", delayMs: 90_000 });
  const begun = emulator.clock.now();
  const slow = provider.spawn({ spec: "gpu_1x_a10", key: "slow" });
  await provider.spawn({ spec: "gpu_1x_a10", key: "next" });
  expect(emulator.clock.now() - begun).toBeLessThan(15_000);
  await slow;
  expect(emulator.clock.now() - begun).toBeGreaterThan(85_000);
});

test("a launch that is refused or aborted gives the turn on", async () => {
  const { provider, emulator } = lambdaWorld({ limits: null }, { ...DOCUMENTED, requestsPerSecond: 100 });
  emulator.control.faults.add({ operation: "spawn", when: "before", row: "insufficient-capacity" });
  const controller = new AbortController();
  const outcomes = Promise.allSettled([
    provider.spawn({ spec: "gpu_1x_a10", key: "refused" }),
    provider.spawn({ spec: "gpu_1x_a10", key: "aborted", signal: controller.signal }),
    provider.spawn({ spec: "gpu_1x_a10", key: "wrong", image: "windows" }),
    provider.spawn({ spec: "gpu_1x_a10", key: "good" }),
  ]);
  await emulator.clock.sleep(6_000);
  controller.abort();
  const codes = (await outcomes).map((one) =>
    one.status === "fulfilled" ? "ok" : (one.reason as { code: string }).code,
  );
  expect(codes).toEqual(["CAPACITY_ERROR", "CANCELLED", "INVALID_SPEC", "ok"]);
  expect(emulator.control.instances()).toHaveLength(1);
});
