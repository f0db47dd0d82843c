import { type ErrorEffect, type Instance, type Provider, ProviderError } from "@slipway/core";
import { expect, test } from "vitest";
import { type Created, type Destroyed, type Driver, providerFromDriver } from "../../src/driver/index.ts";
import { simulatedClock } from "../../src/emulator/index.ts";

const failure = (effect: ErrorEffect, message: string) =>
  new ProviderError("UNAVAILABLE", { provider: "t", operation: "spawn", effect, message });
const unreadable = failure("none", "the listing failed");

interface Script {
  readonly elects?: boolean;
  /** There when the spawn begins to create: another process was faster. */
  readonly rival?: string;
  readonly answer?: (made: string) => Created<string>;
  readonly destroyed?: Destroyed;
  /** Do listings fail once something was created? */
  readonly isBlind?: boolean;
  /** What its second half fails with. */
  readonly unfinished?: Error;
}

/** A remote of machines that all have one key, and are named by their age. */
function world({
  elects = false,
  rival,
  answer = (machine) => ({ machine }),
  destroyed,
  isBlind = false,
  unfinished,
}: Script) {
  const things = new Set<string>();
  let created = 0;
  const driver: Driver<string, Instance, Parameters<Provider["spawn"]>[0]> = {
    isId: () => true,
    identify: (id) => ({
      id,
      status: "running",
      createdAt: `2026-01-01T00:00:0${id}Z`,
      ownership: { owner: "o", key: "k", specHash: undefined, labels: {} },
    }),
    toInstance: (_, base) => ({ ...base, addresses: {}, isSpot: false, createdAt: null }),
    bootstrap: { format: "shell" },
    list: async function* () {
      if (isBlind && created > 0) throw unreadable;
      yield [...things];
    },
    get: async (_, id) => (things.has(id) ? id : null),
    prepare: () => undefined,
    create: async () => {
      if (rival !== undefined && created === 0) things.add(rival);
      created += 1;
      const made = String(created + 1);
      things.add(made);
      return answer(made);
    },
    destroy: async (_, id) => {
      if (destroyed !== undefined) return destroyed;
      return things.delete(id) ? "accepted" : "gone";
    },
    finish: async (_, machine) => {
      if (unfinished !== undefined) throw unfinished;
      return machine;
    },
    elects,
  };
  const { provider } = providerFromDriver<Provider, string, unknown>({
    name: "t",
    owner: "o",
    tier: "testing",
    capabilities: {},
    limits: { maxUserDataBytes: 1_000, maxLabels: 8, nameMaxLength: 64, readAfterWriteMs: 5_000, requestLifeMs: 0 },
    driver,
    hooks: { startup: async () => undefined },
    methods: () => ({}),
    runtime: { clock: simulatedClock() },
  });
  return { provider, things };
}

test("where the look of an election fails, what was created is there", async () => {
  const { provider, things } = world({ elects: true, isBlind: true });
  await expect(provider.spawn({ key: "k" })).rejects.toMatchObject({ code: "UNAVAILABLE", effect: "applied" });
  expect(things.size).toBe(1);
});

test("where the look after an unclear creation fails, nothing is known of its effect", async () => {
  const error = failure("unknown", "no answer");
  const { provider } = world({ isBlind: true, answer: () => ({ error, lookUp: true, retry: false }) });
  await expect(provider.spawn({ key: "k" })).rejects.toMatchObject({ code: "UNAVAILABLE", effect: "unknown" });
});

test("where the look after a refused creation fails, nothing was done", async () => {
  const error = failure("none", "the name is taken");
  const { provider } = world({ isBlind: true, answer: () => ({ error, lookUp: true, retry: true }) });
  await expect(provider.spawn({ key: "k" })).rejects.toBe(unreadable);
});

test("where what an unclear creation may have begun cannot be finished, nothing is known of its effect", async () => {
  const busy = failure("none", "it is still being set up");
  for (const effect of ["unknown", "none"] as const) {
    const error = failure(effect, "no answer");
    const { provider } = world({ unfinished: busy, answer: () => ({ error, lookUp: true, retry: false }) });
    await expect(provider.spawn({ key: "k" })).rejects.toMatchObject({ message: busy.message, effect });
  }
});

test("the loser of an election whose end is unclear is not forgotten", async () => {
  const unclear = failure("unknown", "the end has no answer");
  const { provider, things } = world({ elects: true, rival: "1", destroyed: { unclear } });
  await expect(provider.spawn({ key: "k" })).rejects.toBe(unclear);
  expect(things).toEqual(new Set(["1", "2"]));
  // Nor by the next one, which ends it first.
  await expect(provider.spawn({ key: "k" })).rejects.toBe(unclear);
});
