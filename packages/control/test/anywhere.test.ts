import { isProviderError, type OfferingMethods, type Provider, type ProviderError } from "@slipway/core";
import { describe, expect, test } from "vitest";
import {
  type AnywhereFailpoint,
  AnywhereRefusal,
  allEntries,
  findPlaces,
  launch,
  launchAnywhere,
  memoryStore,
  terminateAndConfirm,
} from "../src/index.ts";
import { cloudOf, offering } from "./anywhere-cloud.ts";
import { living } from "./scripted-provider.ts";
import { simulatedClock } from "./simulated-clock.ts";

function setUp() {
  const clock = simulatedClock();
  const store = memoryStore();
  const [dear, cheap, middle] = [cloudOf("dear", clock, 3), cloudOf("cheap", clock, 1), cloudOf("middle", clock, 2)];
  const providers = [dear.provider, cheap.provider, middle.provider];
  const need = { key: "k", gpu: { type: "a100" } };
  const anywhere = (more: object = {}, control: object = {}) =>
    launchAnywhere(providers, { ...need, ...more }, { store, clock, ...control });
  const alive = (): string[] =>
    [dear, cheap, middle].flatMap(({ world, provider }) => living(world).map(() => provider.name));
  return { clock, store, dear, cheap, middle, providers, anywhere, alive };
}

async function failure(call: Promise<unknown>): Promise<ProviderError> {
  const error: unknown = await call.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (isProviderError(error)) return error;
  throw error ?? new Error("it resolved");
}

describe("findPlaces", () => {
  test("names the places in order, and why the others are none", async () => {
    const { dear, cheap, middle } = setUp();
    cheap.offerings = [
      offering(1, { regions: ["r1", "r2"] }),
      offering(0.5, { spec: "sold-out", regions: [] }),
      offering(undefined, { spec: "no-price" }),
      offering(0.1, { spec: "small", resources: { cpus: 2 } }),
      offering(0.1, { spec: "other", resources: { gpus: { type: "a10", count: 1 } } }),
      offering(0.1, { spec: "two", resources: { gpus: { type: "a100", count: 2 } } }),
    ];
    const down: Provider & OfferingMethods = {
      ...middle.provider,
      listOfferings: async () => Promise.reject(new Error("down")),
    };
    const { listOfferings: _none, ...silent } = cloudOf("silent", simulatedClock(), 1).provider;
    const found = await findPlaces([dear.provider, cheap.provider, down, silent], {
      gpu: { type: "a100" },
      maxUsdPerHour: 2,
    });
    expect(found.places.map(({ provider, spec, region }) => [provider, spec, region])).toEqual([
      ["cheap", "big", "r1"],
      ["cheap", "big", "r2"],
    ]);
    expect(found.unfit).toEqual([
      { provider: "dear", spec: "big", reason: "3 US dollars an hour" },
      { provider: "cheap", spec: "sold-out", reason: "sold out" },
      { provider: "cheap", spec: "no-price", reason: "its price is not known" },
      { provider: "middle", reason: "it cannot be asked: down" },
      { provider: "silent", reason: "it does not list what it offers" },
    ]);
    const inOne = await findPlaces([cheap.provider], { cpus: 4, memoryBytes: 1e9, regions: ["r2"] });
    expect(inOne.places.map(({ spec, region }) => [spec, region])).toEqual([
      ["big", "r2"],
      ["no-price", "r2"],
    ]);
  });
});

describe("launchAnywhere", () => {
  test("takes the cheapest, and returns the same instance for the key, whatever has become cheaper", async () => {
    const { anywhere, alive, dear } = setUp();
    const { instance, place, provider } = await anywhere();
    expect([provider.name, place.spec, place.price?.usdPerHour]).toEqual(["cheap", "big", 1]);
    dear.offerings = [offering(0.1)];
    expect((await anywhere()).instance.id).toBe(instance.id);
    expect(alive()).toEqual(["cheap"]);
  });

  test("a repeated call keeps the `expiresAt` of the first one, and another one begins anew once that has ended", async () => {
    const { anywhere, cheap, store, clock } = setUp();
    const [first, later] = ["2026-01-01T10:00:00.000Z", "2026-01-01T11:00:00.000Z"];
    const { instance } = await anywhere({ expiresAt: first });
    expect((await anywhere({ expiresAt: later })).instance).toMatchObject({ id: instance.id, expiresAt: first });
    await terminateAndConfirm(cheap.provider, instance.id, { store, clock });
    expect((await anywhere({ expiresAt: later })).instance).toMatchObject({ expiresAt: later });
  });

  test("the order is the caller's", async () => {
    const { anywhere, alive } = setUp();
    await anywhere({}, { order: (places: readonly unknown[]) => places.toReversed() });
    expect(alive()).toEqual(["middle"]);
  });

  test("goes on after a failure that made nothing, and says what it tried", async () => {
    const { anywhere, alive, cheap } = setUp();
    cheap.world.spawnFaults.push("refused-capacity");
    const { tried } = await anywhere();
    expect(tried.map(({ place, code }) => [place.provider, code])).toEqual([["cheap", "CAPACITY_ERROR"]]);
    expect(alive()).toEqual(["middle"]);
  });

  test.each([
    ["lost", "cheap"],
    ["applied", "cheap"],
    // It was looked for until it was certain that nothing was made.
    ["dropped", "middle"],
  ] as const)("an answer that is %s never leads to a second one", async (fault, where) => {
    const { anywhere, alive, cheap } = setUp();
    cheap.world.spawnFaults.push(fault);
    await anywhere().catch(() => undefined);
    expect(alive().length).toBeLessThanOrEqual(1);
    expect((await anywhere()).provider.name).toBe(where);
    expect(alive()).toEqual([where]);
  });

  test("a refusal names every place with its reason, and leaves the key free", async () => {
    const { anywhere, alive, dear, cheap, middle, store, clock } = setUp();
    for (const { world } of [dear, cheap, middle]) world.spawnFaults.push("refused-quota");
    const error = await failure(anywhere({ maxUsdPerHour: 2 }));
    expect(error).toBeInstanceOf(AnywhereRefusal);
    expect(error).toMatchObject({ code: "CAPACITY_ERROR", effect: "none", tried: [{}, {}], unfit: [{}] });
    expect(error.message.split("\n")).toEqual([
      expect.stringContaining('"k" was launched nowhere'),
      expect.stringMatching(/^cheap\/big: QUOTA_EXCEEDED/),
      expect.stringMatching(/^middle\/big: QUOTA_EXCEEDED/),
      "dear/big: 3 US dollars an hour",
    ]);
    expect(JSON.parse(JSON.stringify(error))).toMatchObject({ tried: [{ place: { provider: "cheap" } }, {}] });
    dear.world.spawnFaults.length = 0;
    await launch(dear.provider, { key: "k" }, { store, clock });
    expect(alive()).toEqual(["dear"]);
    expect(await failure(anywhere({ gpu: { type: "tpu" }, key: "k2" }))).toMatchObject({ code: "INVALID_SPEC" });
  });

  test("a launch of the key on another provider is CONFLICT while the instance may live, and free afterwards", async () => {
    const { anywhere, alive, dear, cheap, store, clock } = setUp();
    const { instance } = await anywhere();
    const elsewhere = () => launch(dear.provider, { key: "k" }, { store, clock });
    expect(await failure(elsewhere())).toMatchObject({ code: "CONFLICT", effect: "none" });
    await terminateAndConfirm(cheap.provider, instance.id, { store, clock });
    await elsewhere();
    expect(alive()).toEqual(["dear"]);
    // And the other way round.
    expect(await failure(anywhere())).toMatchObject({ code: "CONFLICT" });
    expect(alive()).toEqual(["dear"]);
  });

  test("nothing is kept of a key whose end was confirmed; the choice of another provider stays", async () => {
    const { anywhere, cheap, middle, store, clock } = setUp();
    const { instance } = await anywhere();
    await terminateAndConfirm(cheap.provider, instance.id, { store, clock });
    expect(await allEntries(store)).toEqual([]);
    cheap.world.spawnFaults.push("refused-capacity");
    const other = await anywhere();
    expect(other.provider.name).toBe("middle");
    await terminateAndConfirm(cheap.provider, instance.id, { store, clock });
    expect((await allEntries(store)).map(({ record }) => record.kind)).toContain("anywhere");
    await terminateAndConfirm(middle.provider, other.instance.id, { store, clock, record: "keep" });
    expect((await allEntries(store)).map(({ record }) => record.kind)).toContain("anywhere");
  });

  test("another need, a missing provider or several owners are refused before anything is sent", async () => {
    const { anywhere, dear, cheap, store, clock, providers } = setUp();
    await anywhere();
    const sent = cheap.world.calls.length;
    expect(await failure(anywhere({ cpus: 2 }))).toMatchObject({ code: "CONFLICT" });
    const without = launchAnywhere([dear.provider], { key: "k", gpu: { type: "a100" } }, { store, clock });
    expect(await failure(without)).toMatchObject({ code: "CONFLICT", hint: "Hand cheap in, too." });
    const other = cloudOf("other", clock, 1, "somebody");
    for (const list of [[...providers, other.provider], [], [dear.provider, dear.provider]]) {
      expect(await failure(launchAnywhere(list, { key: "x" }, { store, clock }))).toMatchObject({
        code: "INVALID_SPEC",
      });
    }
    expect(cheap.world.calls.length).toBe(sent);
  });

  test.each<AnywhereFailpoint>([
    "before-choice",
    "after-choice",
    "before-intent",
    "after-intent",
    "after-spawn",
    "after-record",
  ])(
    "killed %s, the next call finds, completes or repeats it, though another place is cheaper by then",
    async (point) => {
      const { anywhere, alive, dear } = setUp();
      const failpoint = (name: AnywhereFailpoint): void => {
        if (name === point) throw new Error("killed");
      };
      await anywhere({}, { failpoint }).catch(() => undefined);
      dear.offerings = [offering(0.1)];
      const made = alive();
      await anywhere();
      expect(alive()).toHaveLength(1);
      if (made.length > 0) expect(alive()).toEqual(made);
    },
  );

  test("a launch that begins between a refusal and the next place is seen, or sees the choice", async () => {
    for (const point of ["before-choice", "after-choice", "before-next", "before-intent"] as const) {
      const { anywhere, alive, cheap, dear, store, clock } = setUp();
      cheap.world.spawnFaults.push("refused-capacity");
      const others: Promise<unknown>[] = [];
      const failpoint = async (name: AnywhereFailpoint): Promise<void> => {
        if (name !== point) return;
        for (const { provider } of [cheap, dear]) {
          const other = launch(provider, { key: "k" }, { store, clock }).catch((error: unknown) => error);
          others.push(other);
          await other;
        }
      };
      const result = await anywhere({}, { failpoint }).catch((error: unknown) => error);
      await Promise.all(others);
      expect({ point, alive: alive().length, result: typeof result }).toEqual({ point, alive: 1, result: "object" });
    }
  });

  test("a launch that has begun by itself, and has not written its intent, is waited for or is a CONFLICT", async () => {
    const { anywhere, alive, dear, store, clock } = setUp();
    const late: Promise<unknown>[] = [];
    const failpoint = async (name: string): Promise<void> => {
      if (name === "before-intent") late.push(anywhere().catch((error: unknown) => error));
      await Promise.all(late);
    };
    await launch(dear.provider, { key: "k" }, { store, clock, failpoint });
    expect(await late[0]).toMatchObject({ code: "CONFLICT", effect: "none" });
    expect(alive()).toEqual(["dear"]);
    await terminateAndConfirm(dear.provider, living(dear.world)[0]?.id ?? "", { store, clock });
    const waiting = launch(
      dear.provider,
      { key: "k" },
      {
        store,
        clock,
        failpoint: (name) => (name === "before-intent" ? clock.sleep(500) : undefined),
      },
    );
    expect(await failure(anywhere({}, { leaseTimeoutMs: 5000 }))).toMatchObject({ code: "CONFLICT" });
    await waiting;
    expect(alive()).toEqual(["dear"]);
  });
});

describe("an abort while the places are asked for", () => {
  test.each([
    [
      "findPlaces",
      (setup: ReturnType<typeof setUp>, signal: AbortSignal) =>
        findPlaces(setup.providers, { gpu: { type: "a100" } }, { signal }),
    ],
    ["launchAnywhere", (setup: ReturnType<typeof setUp>, signal: AbortSignal) => setup.anywhere({ signal })],
  ])("%s rejects with CANCELLED, and has made nothing", async (operation, call) => {
    const setup = setUp();
    const user = new AbortController();
    const asking = setup.cheap.provider.listOfferings;
    Object.assign(setup.cheap.provider, {
      listOfferings: async (...args: Parameters<typeof asking>) => {
        user.abort();
        return await asking(...args);
      },
    });
    const error = await failure(call(setup, user.signal));
    expect(error).toMatchObject({ code: "CANCELLED", operation, effect: "none", provider: "anywhere" });
    expect(setup.alive()).toEqual([]);
  });
});
