import {
  type Capability,
  capabilityDefinitionsOf,
  defineCapability,
  defineProvider,
  ERROR_CODES,
  type ErrorCode,
  isProviderError,
  type ProviderError,
} from "@slipway/core";
import { type ChaosFault, chaos, chaosOf } from "@slipway/provider-kit/chaos";
import { simulatedClock } from "@slipway/provider-kit/emulator";
import { describe, expect, test } from "vitest";
import { type TinyProvider, tiny } from "./tiny-provider.ts";

function under(...faults: ChaosFault[]) {
  const clock = simulatedClock();
  const subject = tiny(clock);
  return { ...subject, clock, chaotic: chaos(subject.provider, { seed: 1, plan: { faults }, clock }) };
}

async function errorOf(call: Promise<unknown>): Promise<ProviderError> {
  const error: unknown = await call.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (!isProviderError(error)) throw new Error(`it did not reject with a ProviderError: ${String(error)}`);
  return error;
}

describe("each code of the taxonomy", () => {
  const codes = Object.keys(ERROR_CODES) as ErrorCode[];

  test.each(codes)("%s before: nothing is done, and the effect says so", async (code) => {
    const { chaotic, instances } = under({ operation: "spawn", when: "before", code, times: 1 });
    const error = await errorOf(chaotic.spawn({ key: "k" }));
    expect(error).toMatchObject({ code, effect: "none", provider: "tiny", operation: "spawn" });
    expect(instances.size).toBe(0);
    await chaotic.spawn({ key: "k" });
    expect(instances.size).toBe(1);
  });

  test.each(codes)("%s after: it is done, and the effect does not deny it", async (code) => {
    const { chaotic, instances } = under({ operation: "spawn", when: "after", code, times: 1 });
    expect(await errorOf(chaotic.spawn({ key: "k" }))).toMatchObject({ code, effect: "unknown" });
    expect(instances.size).toBe(1);
    expect(await chaotic.list({ keys: ["k"] })).toHaveLength(1);
  });
});

test("scope and retryAfterMs are given on", async () => {
  const { chaotic } = under({
    operation: "list",
    when: "before",
    code: "RATE_LIMIT_ERROR",
    scope: "region",
    retryAfterMs: 250,
  });
  expect(await errorOf(chaotic.list())).toMatchObject({ scope: "region", retryAfterMs: 250 });
});

test("a failed read has no effect, also where it was answered", async () => {
  const { chaotic, calls } = under({ operation: "get", when: "after", code: "UNAVAILABLE" });
  expect((await errorOf(chaotic.get("t-1"))).effect).toBe("none");
  expect(calls).toEqual(["get"]);
});

test("a lost reply is NETWORK, and the work is done", async () => {
  const { chaotic, instances, provider } = under({ operation: "terminate", when: "reply-lost" });
  const { id } = await provider.spawn({ key: "k" });
  expect(await errorOf(chaotic.terminate(id))).toMatchObject({ code: "NETWORK", effect: "unknown" });
  expect(instances.size).toBe(0);
});

test("a delayed reply comes late, or the caller's limit ends the wait with the work done", async () => {
  const { chaotic, clock, instances } = under({ operation: "spawn", when: "delayed", delayMs: 5_000 });
  const begun = clock.now();
  await chaotic.spawn({ key: "a" });
  expect(clock.now() - begun).toBe(5_000);
  expect(await errorOf(chaotic.spawn({ key: "b", timeoutMs: 1_000 }))).toMatchObject({
    code: "TIMEOUT",
    effect: "unknown",
  });
  const controller = new AbortController();
  const cancelled = errorOf(chaotic.spawn({ key: "c", signal: controller.signal }));
  await clock.sleep(1);
  controller.abort();
  expect(await cancelled).toMatchObject({ code: "CANCELLED", effect: "unknown" });
  expect([...instances.values()].map(({ key }) => key)).toEqual(["a", "b", "c"]);
  expect(clock.sleepers).toBe(0);
});

test("an error of the provider's own stays as it is, and the fault waits for the next call", async () => {
  const { chaotic } = under({ operation: "createSnapshot", when: "reply-lost", times: 1 });
  expect((await errorOf(chaotic.createSnapshot("t-9", { key: "s" }))).code).toBe("NOT_FOUND");
  const { id } = await chaotic.spawn({ key: "k" });
  expect((await errorOf(chaotic.createSnapshot(id, { key: "s" }))).code).toBe("NETWORK");
  expect((await chaotic.createSnapshot(id, { key: "s" })).key).toBe("s");
});

test("counts, scripts and the star", async () => {
  const { chaotic } = under(
    { operation: "get", when: "before", code: "UNAVAILABLE", calls: [2, 4] },
    { operation: "*", when: "before", code: "BUSY", calls: [6] },
    { operation: "list", when: "before", code: "TIMEOUT", times: 2 },
  );
  const outcome = async (call: Promise<unknown>): Promise<string> =>
    call.then(
      () => "ok",
      (error: ProviderError) => error.code,
    );
  const gets = [];
  for (let i = 0; i < 5; i += 1) gets.push(await outcome(chaotic.get("t-1")));
  expect(gets).toEqual(["ok", "UNAVAILABLE", "ok", "UNAVAILABLE", "ok"]);
  expect(await outcome(chaotic.terminate("t-1"))).toBe("BUSY");
  expect(await outcome(chaotic.list())).toBe("TIMEOUT");
  expect(await Promise.all([outcome(chaotic.list()), outcome(chaotic.list())])).toEqual(["TIMEOUT", "ok"]);
});

test("bootstraps are rendered as ever, and what calls nothing cannot be named", () => {
  const { chaotic, provider } = under({ operation: "*", when: "before", code: "INTERNAL" });
  expect(chaotic.generateBootstrap({ script: "true" }).content).toBe("true");
  expect(() =>
    chaos(provider, { seed: 1, plan: { faults: [{ operation: "generateBootstrap", when: "reply-lost" }] } }),
  ).toThrow("generateBootstrap");
});

describe("a stale read", () => {
  const stale = (operation: string) => {
    const clock = simulatedClock();
    const subject = tiny(clock);
    const plan = { staleReadMs: 1_000, faults: [{ operation, when: "stale-read" } as const] };
    return { ...subject, clock, chaotic: chaos(subject.provider, { seed: 1, plan, clock }) };
  };

  test("misses what was just made, for as long as the limits say and no longer", async () => {
    const { chaotic, clock, provider } = stale("*");
    expect(chaotic.limits.readAfterWriteMs).toBe(1_000);
    expect(provider.limits.readAfterWriteMs).toBe(0);
    const { id } = await chaotic.spawn({ key: "k" });
    expect(await chaotic.get(id)).toBeNull();
    expect(await chaotic.list()).toEqual([]);
    await clock.sleep(999);
    expect(await chaotic.get(id)).toBeNull();
    await clock.sleep(1);
    expect((await chaotic.get(id))?.id).toBe(id);
    expect(await chaotic.list()).toHaveLength(1);
  });

  test("still shows what was just ended, where a listing asks for it", async () => {
    const { chaotic, clock } = stale("*");
    const { id } = await chaotic.spawn({ key: "k" });
    await clock.sleep(2_000);
    await chaotic.terminate(id);
    expect((await chaotic.get(id))?.status).toBe("running");
    expect(await chaotic.list({ keys: ["k"] })).toHaveLength(1);
    expect(await chaotic.list({ keys: ["other"] })).toEqual([]);
    expect(await chaotic.list({ status: ["terminated"] })).toEqual([]);
    await clock.sleep(1_000);
    expect(await chaotic.get(id)).toBeNull();
    expect(await chaotic.list()).toEqual([]);
  });

  test("a repeated key makes nothing, so there is nothing to miss", async () => {
    const { chaotic, clock } = stale("get");
    const { id } = await chaotic.spawn({ key: "k" });
    await clock.sleep(2_000);
    await chaotic.spawn({ key: "k" });
    expect((await chaotic.get(id))?.id).toBe(id);
  });

  test("of a snapshot's status", async () => {
    const { chaotic, clock } = stale("getSnapshotStatus");
    const { id } = await chaotic.spawn({ key: "k" });
    const snapshot = await chaotic.createSnapshot(id, { key: "s" });
    expect(await chaotic.getSnapshotStatus(snapshot.id)).toBeNull();
    await clock.sleep(1_000);
    expect(await chaotic.getSnapshotStatus(snapshot.id)).toBe("available");
  });

  test("is refused where the provider promises fresh reads and the plan does not say how late", () => {
    const { provider } = tiny(simulatedClock());
    expect(() => chaos(provider, { seed: 1, plan: { faults: [{ operation: "get", when: "stale-read" }] } })).toThrow(
      "staleReadMs",
    );
  });
});

test.each<[string, object]>([
  ["an unknown operation", { operation: "spwan", when: "reply-lost" }],
  ["a probability above 1", { operation: "get", when: "reply-lost", probability: 50 }],
  ["an unknown code", { operation: "get", when: "before", code: "OOPS" }],
  ["no code", { operation: "get", when: "before" }],
  ["an unknown timing", { operation: "get", when: "sometimes" }],
  ["no delay", { operation: "get", when: "delayed" }],
  ["a call before the first", { operation: "get", when: "reply-lost", calls: [0] }],
])("a plan with %s is refused, for it would do nothing", (_, fault) => {
  const { provider } = tiny(simulatedClock());
  // As a caller without types, or a plan from a file, would have it.
  expect(() => chaos(provider, { seed: 1, plan: { faults: [fault as ChaosFault] } })).toThrow(/faults\[0\]/);
});

test("chaosOf knows its own providers only", async () => {
  const { chaotic, provider } = under();
  expect(chaosOf(chaotic).journal.entries).toEqual([]);
  expect(() => chaosOf(provider)).toThrow(TypeError);
});

test("a provider that is a class with private parts comes through", async () => {
  const { provider } = tiny(simulatedClock());
  class Wrapped {
    readonly #inner = provider;
    readonly name = provider.name;
    readonly owner = provider.owner;
    readonly contractVersion = provider.contractVersion;
    readonly tier = provider.tier;
    readonly capabilities = provider.capabilities;
    readonly limits = provider.limits;
    readonly whyNot = provider.whyNot;
    readonly refuses = provider.refuses;
    spawn = provider.spawn;
    terminate = provider.terminate;
    generateBootstrap = provider.generateBootstrap;
    async get(id: string) {
      return this.#inner.get(id);
    }
    async list() {
      return this.#inner.list();
    }
  }
  const chaotic = chaos(new Wrapped(), {
    seed: 1,
    plan: { faults: [{ operation: "get", when: "reply-lost", times: 1 }] },
  });
  const { id } = await chaotic.spawn({ key: "k" });
  expect((await errorOf(chaotic.get(id))).code).toBe("NETWORK");
  expect((await chaotic.get(id))?.id).toBe(id);
  expect(await chaotic.list()).toHaveLength(1);
  expect(Object.isFrozen(chaotic)).toBe(true);
});

test("what a third party defined stays with the provider", () => {
  const { provider } = tiny(simulatedClock());
  // No package has merged it into CapabilityMap here, so its name must be asserted.
  const name = "checkpoint" as Capability;
  const definition = defineCapability({ name, description: "", options: {}, methods: {}, cases: [] });
  const flags = { snapshots: true, idempotentSpawn: true } as const;
  // Its flag is one more, which the type does not know of.
  const capabilities = Object.assign({ ...flags }, { [name]: true }) as typeof flags;
  const defined = defineProvider<TinyProvider>({ ...provider, capabilities }, { capabilityDefinitions: [definition] });
  expect(capabilityDefinitionsOf(chaos(defined, { seed: 1, plan: {} }))).toEqual([definition]);
});
