import { EC2Client, RunInstancesCommand } from "@aws-sdk/client-ec2";
import { waitForStatus } from "@slipway/control";
import { systemClock } from "@slipway/core";
import { limits } from "@slipway/provider-kit/limits";
import { expect, test } from "vitest";
import { EMULATED_IMAGES } from "../emulator/index.ts";
import { fetchHandler } from "../src/exchange.ts";
import { CREDENTIALS } from "./aws-harness.ts";
import { awsWorld } from "./world.ts";

const MANY = 1_000;
const PER_CALL = 500;

/** So many instances of ours, made by a few launches of the plain SDK. */
async function fleet(count: number, settings: Parameters<typeof awsWorld>[0] = {}) {
  const world = awsWorld({ bootMs: 0, ...settings }, { share: 1 });
  const { fetch } = world.emulator;
  const client = new EC2Client({
    region: "us-east-1",
    credentials: { ...CREDENTIALS },
    requestHandler: fetchHandler({ fetch, exchangeOf: () => undefined, clock: systemClock }),
  });
  const tags = { ResourceType: "instance", Tags: [{ Key: "slipway:owner", Value: "tests" }] } as const;
  const ids: string[] = [];
  while (ids.length < count) {
    const many = Math.min(PER_CALL, count - ids.length);
    const { Instances = [] } = await client.send(
      new RunInstancesCommand({
        MinCount: many,
        MaxCount: many,
        ImageId: EMULATED_IMAGES[0]?.id,
        InstanceType: "t3.micro",
        TagSpecifications: [{ ...tags, Tags: [...tags.Tags] }],
      }),
    );
    ids.push(...Instances.map(({ InstanceId }) => `us-east-1/${InstanceId}`));
  }
  return { ...world, ids };
}

test("1 000 gets at once take two calls, and bring every instance", async () => {
  const { provider, ids, sent, emulator, events } = await fleet(MANY);
  const before = sent("DescribeInstances").length;
  const begun = emulator.clock.now();
  const found = await Promise.all(ids.map((id) => provider.get(id)));
  expect(found.map((instance) => instance?.id)).toEqual(ids);
  expect(sent("DescribeInstances").length - before).toBe(2);
  expect(emulator.clock.now() - begun).toBeLessThan(1_000);
  expect(events.filter(({ type }) => type === "batch.sent").map((event) => ("size" in event ? event.size : 0))).toEqual(
    [1, 999],
  );
});

test.each([0.8, 1])("1 000 ends at once, with a share of %d of the limits, take four calls", async (share) => {
  const { another, ids, emulator } = await fleet(MANY, { limits: 1 });
  const provider = another({ share });
  const before = emulator.control.requests.length;
  await Promise.all(ids.map((id) => provider.terminate(id)));
  const requests = emulator.control.requests.slice(before);
  expect(requests.length).toBeLessThanOrEqual(4);
  expect(requests.filter(({ code }) => code !== null)).toEqual([]);
  expect(
    emulator.control.instances().every(({ status }) => status === "shutting-down" || status === "terminated"),
  ).toBe(true);
});

test("ends at once fit a budget of the caller's own, which counts calls", async () => {
  const { another, options, ids, emulator } = await fleet(3);
  const { runtime } = options();
  const buckets = [{ operation: "*", capacity: 1, refillPerSecond: 1 }];
  const provider = another({ runtime: { ...runtime, limits: limits({ ...runtime, provider: "aws", buckets }) } });
  await Promise.all(ids.map((id) => provider.terminate(id)));
  expect(emulator.control.instances().filter(({ status }) => status === "running")).toEqual([]);
});

const WAITS = 100;

test(`${WAITS} waits that are started over 2 s take 200 requests in 3 minutes`, async () => {
  const { provider, ids, emulator } = await fleet(WAITS, { bootMs: 180_000 });
  const { clock, control } = emulator;
  const before = control.requests.length;
  const begun = clock.now();
  await Promise.all(
    ids.map(async (id, at) => {
      await clock.sleep((at * 2_000) / WAITS);
      await waitForStatus(provider, id, "running", { clock, timeoutMs: 600_000 });
    }),
  );
  expect(clock.now() - begun).toBeLessThan(190_000);
  expect(control.requests.length - before).toBeLessThanOrEqual(200);
}, 300_000);

test("what comes alone is not delayed: one read, one wait, one read after the other", async () => {
  const { provider, ids, emulator } = await fleet(20, { bootMs: 60_000 });
  const { clock, control } = emulator;
  const took = async (work: () => Promise<unknown>): Promise<number> => {
    const begun = clock.now();
    await work();
    return clock.now() - begun;
  };
  const [first = ""] = ids;
  const once = await took(() => provider.get(first));
  expect(
    await took(async () => {
      for (const id of ids) await provider.get(id);
    }),
  ).toBe(ids.length * once);
  for (let look = 0; look < 20; look += 1) {
    await clock.sleep(50);
    expect(await took(() => provider.get(first))).toBe(once);
  }
  expect(control.requests.length).toBeGreaterThan(40);
});

test("of many gets the unknown ones settle alone", async () => {
  const { provider, ids, sent } = await fleet(200);
  const unknown = Array.from({ length: 20 }, (_, at) => `us-east-1/i-${String(at).padStart(17, "0")}`);
  const before = sent("DescribeInstances").length;
  const found = await Promise.all([...ids, ...unknown, "us-east-1/i-nonsense"].map((id) => provider.get(id)));
  expect(found.map((instance) => instance?.id ?? null)).toEqual([...ids, ...unknown.map(() => null), null]);
  expect(sent("DescribeInstances").length - before).toBeLessThanOrEqual(4);
});

test("a protected instance keeps its protection, and nobody else's end waits for it", async () => {
  const { provider, ids, emulator } = await fleet(50);
  const [kept = ""] = ids.slice(20);
  emulator.control.protect(kept, true);
  const outcomes = await Promise.allSettled(ids.map((id) => provider.terminate(id)));
  const failed = outcomes.flatMap((outcome, at) => (outcome.status === "rejected" ? [[ids[at], outcome.reason]] : []));
  expect(failed).toEqual([[kept, expect.objectContaining({ code: "INVALID_STATE", effect: "none" })]]);
  expect(
    emulator.control
      .instances()
      .filter(({ live }) => live)
      .map(({ id }) => `us-east-1/${id.slice(id.indexOf("/") + 1)}`),
  ).toEqual([kept]);
});

test.each([
  ["as they are", {}],
  ["with a port", { ports: [{ port: 22 }] }],
])("200 spawns %s take 2.2 requests each at most; image and network are looked up once", async (_how, more) => {
  const { provider, emulator, sent } = awsWorld({ limits: 1 }, { share: 1 });
  await Promise.all(
    Array.from({ length: 200 }, (_, at) => provider.spawn({ key: `k${at}`, spec: "t3.micro", ...more })),
  );
  expect(emulator.control.requests.length).toBeLessThanOrEqual(440);
  expect(["DescribeImages", "GetParameter"].map((action) => sent(action).length)).toEqual([1, 1]);
  expect(sent("DescribeVpcs").length).toBe("ports" in more ? 1 : 0);
});

test("200 spawns go as fast as the account's launches allow, and no throttle reaches a caller", async () => {
  const world = awsWorld({ limits: 1, latencyMs: 0 }, { share: 1 });
  const begun = world.emulator.clock.now();
  const spawned = await Promise.all(Array.from({ length: 200 }, () => world.provider.spawn({ spec: "t3.micro" })));
  const seconds = (world.emulator.clock.now() - begun) / 1_000;
  expect(new Set(spawned.map(({ id }) => id)).size).toBe(200);
  // 5 at once, then 2 a second.
  expect(seconds).toBeLessThanOrEqual(((200 - 5) / 2) * 1.05);
  expect(seconds).toBeGreaterThanOrEqual((200 - 5) / 2 - 1);
  const throttled = world.emulator.control.requests.filter(({ code }) => code === "RequestLimitExceeded");
  expect(throttled.filter(({ operation }) => operation === "RunInstances")).toEqual([]);
});

test("an account that others use up throttles, and the callers do not see it", async () => {
  const world = awsWorld({ limits: 0.3 }, { share: 1 });
  const spawned = await Promise.all(Array.from({ length: 20 }, () => world.provider.spawn({ spec: "t3.micro" })));
  expect(new Set(spawned.map(({ id }) => id)).size).toBe(20);
  const throttled = world.emulator.control.requests.filter(({ code }) => code === "RequestLimitExceeded");
  expect(throttled.length).toBeGreaterThan(0);
});

test("a caller who gives up takes nothing from the others", async () => {
  const { provider, ids } = await fleet(20);
  const controller = new AbortController();
  const reads = ids.map((id, at) => provider.get(id, at === 7 ? { signal: controller.signal } : {}));
  controller.abort();
  const outcomes = await Promise.allSettled(reads);
  expect(outcomes.flatMap(({ status }, at) => (status === "rejected" ? [at] : []))).toEqual([7]);
});

test("an id that is only missing in the answer is no proof that there is none", async () => {
  const { ids, another, options } = await fleet(3);
  const { runtime = {} } = options();
  const { fetch = globalThis.fetch } = runtime;
  const losing: typeof globalThis.fetch = async (input, init) => {
    const answer = await fetch(input, init);
    const text = (await answer.text()).replace(/<reservationSet>.*<\/reservationSet>/s, "<reservationSet/>");
    return new Response(text, { status: answer.status, headers: answer.headers });
  };
  const provider = another({ runtime: { ...runtime, fetch: losing } });
  const outcomes = await Promise.allSettled(ids.map((id) => provider.get(id)));
  expect(outcomes.map((one) => (one.status === "rejected" ? one.reason.code : one.value))).toEqual(
    Array(3).fill("INTERNAL"),
  );
});
