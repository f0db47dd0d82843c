import { isProviderError, ProviderError } from "@slipway/core";
import { describe, expect, test } from "vitest";
import {
  allEntries,
  apply,
  launch,
  memoryStore,
  reconcile,
  type SpreadControl,
  type SpreadFailpoint,
  type SpreadLaunch,
  type SpreadOptions,
  SpreadRefusal,
  type Store,
  spread,
  terminateAndConfirm,
} from "../src/index.ts";
import { type Cloud, cloudOf } from "./anywhere-cloud.ts";
import { living, setStatus } from "./scripted-provider.ts";
import { type SimulatedClock, simulatedClock } from "./simulated-clock.ts";

class Killed extends Error {}

/** A cloud that has so many machines, and no more. */
function limited(name: string, clock: SimulatedClock, usdPerHour: number, most: number): Cloud {
  const cloud = cloudOf(name, clock, usdPerHour);
  const { spawn } = cloud.provider;
  let under = 0;
  const provider: Cloud["provider"] = {
    ...cloud.provider,
    spawn: async (options) => {
      if (living(cloud.world).length + under >= most) {
        throw new ProviderError("CAPACITY_ERROR", {
          message: "sold out",
          provider: name,
          operation: "spawn",
          effect: "none",
        });
      }
      under += 1;
      try {
        return await spawn(options);
      } finally {
        under -= 1;
      }
    },
  };
  return { ...cloud, provider };
}

function scene(store: Store = memoryStore()) {
  const clock = simulatedClock();
  const clouds = [limited("dear", clock, 3, 1), limited("cheap", clock, 1, 3), limited("middle", clock, 2, 1)];
  const providers = clouds.map(({ provider }) => provider);
  const call = (minimum: number | undefined, more: Partial<SpreadOptions> = {}, control: Partial<SpreadControl> = {}) =>
    spread(providers, { key: "s", count: 8, minimum, gpu: { type: "a100" }, ...more }, { store, clock, ...control });
  const alive = (): readonly string[] =>
    clouds.flatMap(({ world, provider }) => living(world).map(({ key }) => `${provider.name} ${key}`)).toSorted();
  const kinds = async () => (await allEntries(store)).map(({ record }) => record.kind).toSorted();
  /** Without the places that refused: those made nothing. */
  const kept = async () =>
    (await allEntries(store)).flatMap(({ record }) => (record.state === "refused" ? [] : [record.kind])).toSorted();
  return { clock, store, clouds, providers, call, alive, kinds, kept };
}

async function refusal(call: Promise<unknown>): Promise<SpreadRefusal> {
  const error: unknown = await call.then(
    () => new Error("it resolved"),
    (reason: unknown) => reason,
  );
  if (error instanceof SpreadRefusal) return error;
  throw error;
}

describe("spread", () => {
  test("of 8 with capacity for 5: 5 are enough, the cheapest first, and the same call launches nothing more", async () => {
    const { call, alive, clouds } = scene();
    const made = await call(5);
    expect(made.members).toHaveLength(5);
    expect(made.missing).toHaveLength(3);
    expect(alive().map((line) => line.split(" ")[0])).toEqual(["cheap", "cheap", "cheap", "dear", "middle"]);
    const spawns = clouds.map(({ world }) => world.requests.length);
    expect(await call(5)).toEqual(made);
    expect(clouds.map(({ world }) => world.requests.length)).toEqual(spawns);
  });

  test("a number of launches at once that is none forgets no machine of an earlier call", async () => {
    const { call, alive } = scene();
    const failpoint = (name: SpreadFailpoint): void => {
      if (name === "after-member") throw new Killed();
    };
    await expect(call(5, {}, { failpoint })).rejects.toThrow(Killed);
    expect(alive().length).toBeGreaterThan(0);
    expect((await call(5, {}, { atOnce: Number.NaN })).members).toHaveLength(5);
  });

  test("a key that is too long for the last of its machines launches none", async () => {
    const { call, alive, kinds } = scene();
    const key = "k".repeat(126);
    await expect(call(1, { key, count: 10 })).rejects.toMatchObject({ code: "INVALID_SPEC", effect: "none" });
    expect(alive()).toEqual([]);
    expect(await kinds()).toEqual([]);
  });

  test("of 8 with capacity for 5: 6 are not there, and nothing is left", async () => {
    const { call, alive, kinds } = scene();
    const error = await refusal(call(6));
    expect(error).toMatchObject({ code: "CAPACITY_ERROR", effect: "none", leftovers: [] });
    expect(error.message).toContain('5 of 8 machines of "s" could be had, and 6 are needed: they were terminated');
    expect(error.refusals).toHaveLength(3);
    expect(alive()).toEqual([]);
    // The refused launches' own records stay, as of every refused launch.
    expect((await kinds()).filter((kind) => kind === "spread")).toEqual([]);
  });

  test("all are needed where no minimum is said", async () => {
    const { call, alive } = scene();
    await refusal(call(undefined));
    expect(alive()).toEqual([]);
    expect((await call(undefined, { count: 5, key: "five" })).missing).toEqual([]);
    expect(alive()).toHaveLength(5);
  });

  const STEPS: readonly SpreadFailpoint[] = [
    ...(["before-record", "after-record", "after-member"] as const),
    ...(["before-rollback", "after-end", "after-settled"] as const),
  ];
  for (const minimum of [5, 6]) {
    test.each(STEPS)(`killed at each ${"%s"}, and repeated: minimum ${minimum}`, async (step) => {
      for (let nth = 1; nth <= 9; nth += 1) {
        const { call, alive, clock } = scene();
        let seen = 0;
        let isDead = false;
        const failpoint = async (name: SpreadFailpoint): Promise<void> => {
          // A process that was killed does nothing more, whatever of it was under way.
          if (isDead) throw new Killed();
          if (name !== step) return;
          seen += 1;
          if (seen !== nth) return;
          isDead = true;
          throw new Killed();
        };
        const first = await call(minimum, {}, { failpoint }).then(
          () => "made",
          (error: unknown) => error,
        );
        if (isDead && first !== "made") expect(first).toBeInstanceOf(Killed);
        clock.advance(60_000);
        // A rollback that was begun is finished first; then the key is free for a new one.
        if (minimum === 5) expect((await call(5)).members).toHaveLength(5);
        else await refusal(call(6));
        expect(alive()).toHaveLength(minimum === 5 ? 5 : 0);
        if (!isDead) break;
      }
    });
  }

  test("what cannot be terminated is named, and the next call goes on with it", async () => {
    const { call, alive, clouds } = scene();
    for (const { world } of clouds) {
      world.terminateFaults.push(
        new ProviderError("AUTH_ERROR", { message: "no", provider: "p", operation: "terminate", effect: "none" }),
      );
    }
    const error = await refusal(call(6));
    expect(error.effect).toBe("applied");
    expect(error.leftovers.map(({ provider }) => provider).toSorted()).toEqual(["cheap", "dear", "middle"]);
    expect(alive()).toHaveLength(3);
    expect(JSON.parse(JSON.stringify(error))).toMatchObject({ leftovers: [{}, {}, {}] });
    expect((await refusal(call(6))).leftovers).toEqual([]);
    expect(alive()).toEqual([]);
  });

  test("an answer that is lost ends nothing: the next call finds what was made", async () => {
    const { call, alive, clouds } = scene();
    clouds[1]?.world.spawnFaults.push(undefined, "lost");
    const first = await call(5).catch((error: unknown) => error);
    if (first instanceof Error) expect(isProviderError(first)).toBe(true);
    expect((await call(5)).members).toHaveLength(5);
    expect(new Set(alive().map((line) => line.split(" ")[1])).size).toBe(5);
    expect(alive()).toHaveLength(5);
  });

  test("two processes: one works, the other is told so; other options under the key are CONFLICT", async () => {
    const { call, alive } = scene();
    const both = await Promise.allSettled([call(5), call(5)]);
    expect(both.map(({ status }) => status).toSorted()).toEqual(["fulfilled", "rejected"]);
    await expect(call(4)).rejects.toMatchObject({ code: "CONFLICT", effect: "none" });
    await expect(call(5, { cpus: 2 })).rejects.toMatchObject({ code: "CONFLICT" });
    expect(alive()).toHaveLength(5);
  });

  test("a rollback that comes late ends its own machines, and none that has the key by now", async () => {
    const { call, alive, clock, store } = scene();
    let stopped = (): void => undefined;
    const paused = new Promise<void>((resolve) => {
      stopped = resolve;
    });
    const arrived = Promise.withResolvers<void>();
    let ends = 0;
    const late = call(
      6,
      {},
      {
        failpoint: async (name) => {
          if (name !== "after-end") return;
          ends += 1;
          if (ends !== 1) return;
          arrived.resolve();
          await paused;
        },
      },
    );
    late.catch(() => undefined);
    await arrived.promise;
    // Another program launches the key of the member that is gone.
    const keys = [1, 2, 3, 4, 5, 6, 7, 8].map((n) => `s-${n}`);
    const other = cloudOf("other", clock, 9);
    for (const key of keys) {
      if (!alive().some((line) => line.endsWith(` ${key}`))) await launch(other.provider, { key }, { store, clock });
    }
    expect(living(other.world)).toHaveLength(4);
    stopped();
    await refusal(late);
    expect(alive()).toEqual([]);
    expect(living(other.world)).toHaveLength(4);
  });

  test.each([{ count: 0 }, { count: 1.5 }, { count: 1_001 }, { minimum: 0 }, { minimum: 9 }, { minimum: Number.NaN }])(
    "refuses %j before anything is written",
    async (more) => {
      const { call, kinds } = scene();
      await expect(call(5, more)).rejects.toMatchObject({ code: "INVALID_SPEC", effect: "none" });
      expect(await kinds()).toEqual([]);
    },
  );
});

const endIn =
  (clouds: readonly Cloud[], store: Store, clock: SimulatedClock) =>
  async ({ provider: name, instanceId }: SpreadLaunch): Promise<void> => {
    const cloud = clouds.find(({ provider }) => provider.name === name);
    if (cloud === undefined) throw new Error(`no ${name}`);
    await terminateAndConfirm(cloud.provider, instanceId, { store, clock });
  };

describe("a spread that is over", () => {
  test("is forgotten with the last of its machines, and not before; then the same call launches anew", async () => {
    const { call, clouds, store, clock, kept, alive } = scene();
    const { members } = await call(3, { count: 3 });
    const end = endIn(clouds, store, clock);
    const [last, ...others] = members;
    if (last === undefined) throw new Error("no member");
    await Promise.all(others.map(end));
    expect(await kept()).toEqual(["anywhere", "launch", "spread"]);
    expect((await call(3, { count: 3 })).members).toEqual(members);
    // One that another process works on is left to that.
    const lease = await store.acquire("spread:tests:s");
    if (lease === null) throw new Error("held");
    await end(last);
    expect(await kept()).toEqual(["spread"]);
    await store.release(lease);
    // That one has ended, or was killed: what it left is known as over by what is left of its machines.
    const again = await call(3, { count: 3 });
    expect(again.members).toHaveLength(3);
    for (const member of again.members) expect(members).not.toContainEqual(member);
    expect(alive()).toHaveLength(3);
  });

  test("answers the same where the ends of its machines were kept, and on another account launches nothing", async () => {
    const { call, clouds, store, clock, alive } = scene();
    const { members } = await call(2, { count: 2 });
    expect((await call(2, { count: 2 }, { account: "other" })).members).toEqual(members);
    expect(alive()).toHaveLength(2);
    for (const { provider: name, instanceId } of members) {
      const cloud = clouds.find(({ provider }) => provider.name === name);
      if (cloud === undefined) throw new Error(`no ${name}`);
      await terminateAndConfirm(cloud.provider, instanceId, { store, clock, record: "keep" });
    }
    expect((await call(2, { count: 2 })).members).toEqual(members);
    expect(alive()).toEqual([]);
  });

  test("is forgotten when all of its machines end at once", async () => {
    const { call, clouds, store, clock, kept } = scene();
    const { members } = await call(3, { count: 3 });
    await Promise.all(members.map(endIn(clouds, store, clock)));
    expect(await kept()).toEqual([]);
    const again = await call(3, { count: 3 });
    expect(again.members).toHaveLength(3);
    expect(again.members.map(({ instanceId }) => instanceId)).not.toEqual(members.map(({ instanceId }) => instanceId));
  });

  test("nothing of it stays once reconcile has forgotten what is gone, and it costs nothing more", async () => {
    const { call, clouds, store, clock, kept } = scene();
    await call(1, { count: 1 }, { maxUsdPerDay: 1000 });
    for (const { world } of clouds) for (const { id } of living(world)) setStatus(world, id, "terminated");
    clock.advance(60_000);
    for (const { provider } of clouds) {
      const plan = await reconcile(provider, { store, clock });
      expect(plan.items.every(({ kind }) => kind === "missing")).toBe(true);
      await apply(provider, plan, { store, clock });
    }
    expect(await kept()).toEqual(["budget"]);
    const budget = await store.read("budget:tests");
    const claims = budget?.kind === "budget" ? Reflect.get(Object(budget.data), "claims") : null;
    expect(claims).toHaveLength(1);
    expect(claims).not.toContainEqual(expect.objectContaining({ to: null }));
  });
});
