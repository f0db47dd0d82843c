import { isProviderError, ProviderError, type RuntimeEvent } from "@slipway/core";
import { beforeEach, describe, expect, test } from "vitest";
import {
  allEntries,
  isStoreError,
  type LaunchFailpoint,
  launch,
  launchId,
  memoryStore,
  reconcile,
  type Store,
  StoreError,
  terminateAndConfirm,
} from "../src/index.ts";
import {
  living,
  newWorld,
  plainProvider,
  type SafeProvider,
  type SpawnFault,
  safeProvider,
  setStatus,
  type World,
} from "./scripted-provider.ts";
import { type SimulatedClock, simulatedClock } from "./simulated-clock.ts";

class Killed extends Error {}

const dieAt = (point: LaunchFailpoint) => (name: LaunchFailpoint) => {
  if (name === point) throw new Killed(point);
};
const POINTS: readonly LaunchFailpoint[] = ["before-intent", "after-intent", "after-spawn", "after-record"];

async function failureOf(work: Promise<unknown>): Promise<ProviderError> {
  const error: unknown = await work.then(
    () => new Error("it resolved"),
    (reason: unknown) => reason,
  );
  if (isProviderError(error)) return error;
  throw error;
}

let clock: SimulatedClock;
let world: World;
let store: Store;
let events: RuntimeEvent[];
let control: { store: Store; clock: SimulatedClock; onEvent: (event: RuntimeEvent) => void };
const record = (key = "k") => store.read(launchId({ provider: "scripted", account: "", owner: "tests", key }));

beforeEach(() => {
  clock = simulatedClock();
  world = newWorld(clock);
  store = memoryStore();
  events = [];
  control = { store, clock, onEvent: (event) => events.push(event) };
});

const providers = [
  ["a spawn that is not idempotent", plainProvider],
  ["an idempotent spawn", safeProvider],
] as const;

describe("what a spawn says to have made in part", () => {
  const options = { key: "k", spec: "small", labels: { a: "b" } };

  test("is completed by the next launch, with the stored request, as often as it takes", async () => {
    const provider = safeProvider(world);
    world.spawnFaults.push("applied", "applied");
    for (let call = 0; call < 2; call += 1) {
      expect(await failureOf(launch(provider, options, control))).toMatchObject({
        code: "INTERNAL",
        effect: "applied",
      });
      expect(await record()).toMatchObject({ state: "launched", instanceId: "m-1", request: options });
    }
    const { id } = await launch(provider, options, control);
    expect(id).toBe("m-1");
    expect(world.requests).toEqual([options, options, options]);
    // It may hold secrets.
    expect(await record()).not.toHaveProperty("request");
    await launch(provider, options, control);
    expect(world.requests).toHaveLength(3);
  });

  test("stays known where it is refused to be completed: no orphan, and no second one", async () => {
    const provider = safeProvider(world);
    world.spawnFaults.push("applied", "refused-quota");
    await failureOf(launch(provider, options, control));
    expect(await failureOf(launch(provider, options, control))).toMatchObject({ code: "QUOTA_EXCEEDED" });
    expect(await record()).toMatchObject({ state: "launched", instanceId: "m-1", request: options });
    expect((await reconcile(provider, { store, clock })).items).toEqual([]);
    expect(living(world)).toHaveLength(1);
    const other = await failureOf(launch(provider, { ...options, spec: "big" }, control));
    expect(other).toMatchObject({ code: "CONFLICT", native: { id: "m-1" } });
    expect(world.requests).toHaveLength(1);
  });

  test("is launched anew where it has ended since, and a record that is kept holds no request", async () => {
    const provider = safeProvider(world);
    world.spawnFaults.push("applied");
    await failureOf(launch(provider, options, control));
    await terminateAndConfirm(provider, "m-1", { store, clock, record: "keep" });
    expect(await record()).toMatchObject({ state: "ended", instanceId: "m-1" });
    expect(await record()).not.toHaveProperty("request");
    expect((await launch(provider, options, control)).id).toBe("m-2");
  });

  test("is not sent again before a listing shows it where a spawn is not idempotent", async () => {
    const request: { key: string; spec: string } = Object.assign(
      { key: "k", spec: "small" },
      { volumes: [{ id: "v" }] },
    );
    const plain = plainProvider(world);
    const shown: (readonly string[])[] = [];
    // Every remote returns what a listing shows under the key (KEY-03).
    const provider: typeof plain = {
      ...plain,
      spawn: async () => {
        const listed = await plain.list({ keys: ["k"] });
        shown.push(listed.map(({ id }) => id));
        return listed[0] ?? (await plain.spawn({ key: "k", spec: "small" }));
      },
    };
    world.spawnFaults.push("applied");
    await failureOf(launch(provider, request, control));
    expect(await record()).toMatchObject({ state: "launched", request });
    const remote = world.machines.get("m-1");
    // As a process elsewhere sees it, by a listing that lags.
    if (remote !== undefined) remote.shownAt = clock.now() + world.lagMs / 2;
    const get: typeof plain.get = async () => remote?.instance ?? null;
    expect((await launch({ ...provider, get }, request, control)).id).toBe("m-1");
    expect(shown).toEqual([[], ["m-1"]]);
    expect(await record()).not.toHaveProperty("request");
  });
});

describe.each(providers)("launch over %s", (_name, make) => {
  test("spawns once and answers the same instance again", async () => {
    const first = await launch(make(world), { key: "k", spec: "small" }, control);
    const second = await launch(make(world), { key: "k", spec: "small" }, control);
    expect(second.id).toBe(first.id);
    expect(living(world)).toHaveLength(1);
    expect(events.filter((event) => event.type === "launch.adopted")).toMatchObject([{ key: "k", id: first.id }]);
  });

  test.each(POINTS)("a process that dies %s leaves one instance after the next launch", async (point) => {
    const dying = launch(make(world), { key: "k" }, { ...control, failpoint: dieAt(point) });
    await expect(dying).rejects.toBeInstanceOf(Killed);
    const instance = await launch(make(world), { key: "k" }, control);
    expect(living(world).map(({ id }) => id)).toEqual([instance.id]);
    expect(await record()).toMatchObject({ state: "launched", instanceId: instance.id });
  });

  test("a failure that says that something was made is told, and the instance is recorded", async () => {
    world.spawnFaults.push("applied");
    const error = await failureOf(launch(make(world), { key: "k" }, control));
    expect(error).toMatchObject({ code: "INTERNAL", effect: "applied" });
    expect(await record()).toMatchObject({ state: "launched", instanceId: living(world)[0]?.id });
    const instance = await launch(make(world), { key: "k" }, control);
    expect(living(world).map(({ id }) => id)).toEqual([instance.id]);
    // Only where a spawn may be repeated can it complete what is half made.
    const provider = make(world);
    expect(world.calls.filter((call) => call === "spawn")).toHaveLength(provider.capabilities.idempotentSpawn ? 2 : 1);
    expect(await record()).not.toHaveProperty("request");
  });

  test.each([-600_000, -5000, 5000, 600_000])(
    "a record by a machine whose clock is %i ms off does not prove that its instance is gone",
    async (ms) => {
      const other = { ...control, clock: { ...clock, now: () => clock.now() + ms } };
      const first = await launch(make(world), { key: "k", spec: "small" }, other);
      const second = await launch(make(world), { key: "k", spec: "small" }, control);
      expect(second.id).toBe(first.id);
      expect(living(world)).toHaveLength(1);
      setStatus(world, first.id, "running");
      const error = await failureOf(launch(make(world), { key: "k", spec: "big" }, control));
      expect(error).toMatchObject({ code: "CONFLICT", effect: "none", native: { id: first.id } });
      expect(await record()).toMatchObject({ state: "launched", instanceId: first.id, gone: [] });
    },
  );

  test("finds the instance after an answer that was lost", async () => {
    world.spawnFaults.push("lost");
    const instance = await launch(make(world), { key: "k" }, control);
    expect(living(world).map(({ id }) => id)).toEqual([instance.id]);
    // Where a spawn may be repeated, the second completes what the first may have left half made.
    const provider = make(world);
    expect(world.calls.filter((call) => call === "spawn")).toHaveLength(provider.capabilities.idempotentSpawn ? 2 : 1);
    expect(events.some((event) => event.type === "wait" && event.reason === "poll")).toBe(true);
  });

  test("an unknown failure that made nothing is told as such once the lag is over", async () => {
    world.spawnFaults.push("dropped");
    const error = await failureOf(launch(make(world), { key: "k" }, control));
    expect(error).toMatchObject({ code: "NETWORK", effect: "none", retryable: true });
    expect(clock.elapsed()).toBeGreaterThanOrEqual(world.lagMs);
    expect(await record()).toMatchObject({ state: "refused" });
    await launch(make(world), { key: "k" }, control);
    expect(living(world)).toHaveLength(1);
    expect(await record()).toMatchObject({ attempt: 2 });
  });

  test("a refusal is the caller's to handle, and costs the next launch no wait", async () => {
    world.spawnFaults.push("refused-quota");
    const error = await failureOf(launch(make(world), { key: "k" }, control));
    expect(error).toMatchObject({ code: "QUOTA_EXCEEDED", effect: "none" });
    await launch(make(world), { key: "k" }, control);
    expect(clock.elapsed()).toBe(0);
  });

  test("other options under the same key are a CONFLICT that names the instance", async () => {
    const { id } = await launch(make(world), { key: "k", spec: "small" }, control);
    clock.advance(world.lagMs);
    const error = await failureOf(launch(make(world), { key: "k", spec: "big" }, control));
    expect(error).toMatchObject({ code: "CONFLICT", effect: "none", native: { id } });
    expect(living(world)).toHaveLength(1);
  });

  test("other options after a crash: what was made is found, recorded and reported", async () => {
    await launch(make(world), { key: "k", spec: "small" }, { ...control, failpoint: dieAt("after-spawn") }).catch(
      () => undefined,
    );
    const error = await failureOf(launch(make(world), { key: "k", spec: "big" }, control));
    expect(error).toMatchObject({ code: "CONFLICT", native: { id: living(world)[0]?.id } });
    expect(living(world)).toHaveLength(1);
    expect(await record()).toMatchObject({ state: "launched" });
  });

  test("other options after a crash that made nothing: the new ones are launched", async () => {
    await launch(make(world), { key: "k", spec: "small" }, { ...control, failpoint: dieAt("after-intent") }).catch(
      () => undefined,
    );
    const instance = await launch(make(world), { key: "k", spec: "big" }, control);
    expect(instance.spec).toBe("big");
    expect(living(world)).toHaveLength(1);
  });

  test("a terminated instance is followed by a new one", async () => {
    const first = await launch(make(world), { key: "k" }, control);
    setStatus(world, first.id, "terminated");
    clock.advance(2 * world.lagMs);
    const second = await launch(make(world), { key: "k" }, control);
    expect(second.id).not.toBe(first.id);
    expect(await record()).toMatchObject({ attempt: 2, gone: [first.id] });
  });

  test("a stopped instance and one in error are still the key's instance", async () => {
    const { id } = await launch(make(world), { key: "k" }, control);
    for (const status of ["stopped", "error"] as const) {
      setStatus(world, id, status);
      clock.advance(world.lagMs);
      expect((await launch(make(world), { key: "k" }, control)).id).toBe(id);
    }
  });

  test("a registration token that rotates is not another spec", async () => {
    const bootstrap = (registrationToken: string) => ({ script: "true", registrationToken });
    const first = await launch(make(world), { key: "k", bootstrap: bootstrap("one") }, control);
    const second = await launch(make(world), { key: "k", bootstrap: bootstrap("two") }, control);
    expect(second.id).toBe(first.id);
  });

  test("secrets leave the store with the answer", async () => {
    const bootstrap = { script: "true", registrationToken: "hush-4711" };
    await launch(make(world), { key: "k", bootstrap }, { ...control, failpoint: dieAt("after-intent") }).catch(
      () => undefined,
    );
    expect(JSON.stringify(await record())).toContain("hush-4711");
    await launch(make(world), { key: "k", bootstrap }, control);
    expect(JSON.stringify(await record())).not.toContain("hush-4711");
    expect(JSON.stringify(events)).not.toContain("hush-4711");
  });

  test("a key that another process works on is a CONFLICT with a hint, and nothing is sent", async () => {
    await store.acquire(launchId({ provider: "scripted", account: "", owner: "tests", key: "k" }));
    const error = await failureOf(launch(make(world), { key: "k" }, control));
    expect(error).toMatchObject({ code: "CONFLICT", effect: "none", operation: "launch" });
    expect(error.hint).toMatch(/again/);
    expect(world.calls).toEqual([]);
  });

  test("with leaseTimeoutMs it waits for the other process and answers its instance", async () => {
    const both = await Promise.all(
      [1, 2, 3].map(() => launch(make(world), { key: "k" }, { ...control, leaseTimeoutMs: 10_000 })),
    );
    expect(new Set(both.map(({ id }) => id)).size).toBe(1);
    expect(living(world)).toHaveLength(1);
  });

  test("two accounts do not share keys", async () => {
    await launch(make(world), { key: "k" }, { ...control, account: "a" });
    world.machines.clear();
    await launch(make(world), { key: "k" }, { ...control, account: "b" });
    expect(world.calls.filter((call) => call === "spawn")).toHaveLength(2);
  });
});

describe("recovery", () => {
  test("with an idempotent spawn the stored request is sent again, not the caller's", async () => {
    const bootstrap = (registrationToken: string) => ({ script: "true", registrationToken });
    const dying = { ...control, failpoint: dieAt("after-spawn") };
    await launch(safeProvider(world), { key: "k", bootstrap: bootstrap("one") }, dying).catch(() => undefined);
    await launch(safeProvider(world), { key: "k", bootstrap: bootstrap("two") }, control);
    expect(world.requests).toHaveLength(2);
    expect(world.requests[1]).toEqual(world.requests[0]);
    expect(clock.elapsed()).toBe(0);
  });

  test("a stored request that could not be sent again is not forgotten: nothing is known of the first time", async () => {
    const placements = [{ spec: "a" }, { spec: "b" }];
    world.spawnFaults.push("refused-capacity");
    const dying = { ...control, placements, failpoint: dieAt("after-spawn") };
    await launch(safeProvider(world), { key: "k" }, dying).catch(() => undefined);
    const down = async () => {
      const details = { message: "down", provider: "scripted", operation: "spawn", effect: "none" } as const;
      throw new ProviderError("NETWORK", details);
    };
    const cut = { ...safeProvider(world), spawn: down, list: down };
    expect(await failureOf(launch(cut, { key: "k" }, { ...control, placements }))).toMatchObject({ code: "NETWORK" });
    expect(await record()).toMatchObject({ state: "intended", placement: 1, request: { spec: "b" } });
    const instance = await launch(
      safeProvider(world),
      { key: "k" },
      { ...control, placements: placements.toReversed() },
    );
    expect(instance.id).toBe(living(world)[0]?.id);
    expect(living(world)).toHaveLength(1);
  });

  test("a CONFLICT at the second sending that names no instance says nothing of the first: the intent stays", async () => {
    const dying = { ...control, failpoint: dieAt("after-spawn") };
    await launch(safeProvider(world), { key: "k" }, dying).catch(() => undefined);
    const creating = async (): Promise<never> => {
      const details = { message: "another process creates it", provider: "scripted", operation: "spawn" };
      throw new ProviderError("CONFLICT", { ...details, effect: "none" });
    };
    const error = await failureOf(launch({ ...safeProvider(world), spawn: creating }, { key: "k" }, control));
    expect(error).toMatchObject({ code: "CONFLICT", effect: "none" });
    expect(await record()).toMatchObject({ state: "intended", attempt: 1 });
    clock.advance(world.lagMs);
    expect((await reconcile(safeProvider(world), control)).items).toEqual([]);
    expect((await launch(safeProvider(world), { key: "k" }, control)).id).toBe("m-1");
  });

  test("a CONFLICT at the second sending that names an instance refuses the first as well", async () => {
    const dying = { ...control, failpoint: dieAt("after-intent") };
    await launch(safeProvider(world), { key: "k", spec: "small" }, dying).catch(() => undefined);
    const other = await safeProvider(world).spawn({ key: "k", spec: "big" });
    const error = await failureOf(launch(safeProvider(world), { key: "k", spec: "small" }, control));
    expect(error).toMatchObject({ code: "CONFLICT", effect: "none", native: { id: other.id } });
    expect((await launch(safeProvider(world), { key: "k", spec: "big" }, control)).id).toBe(other.id);
  });

  test("an instance that was taken for gone and is named by a CONFLICT is the key's again", async () => {
    const first = await launch(safeProvider(world), { key: "k", spec: "small" }, control);
    const safe = safeProvider(world);
    const blind = { ...safe, get: async () => null };
    const error = await failureOf(launch(blind, { key: "k", spec: "big" }, control));
    expect(error).toMatchObject({ code: "CONFLICT", native: { id: first.id } });
    expect(await record()).toMatchObject({ state: "launched", instanceId: first.id, gone: [] });
  });

  test("a request that was under way when its process died is waited for", async () => {
    const slow = newWorld(clock, 5000, 40_000);
    const dying = { ...control, failpoint: dieAt("after-intent") };
    await launch(plainProvider(slow), { key: "k" }, dying).catch(() => undefined);
    const late = clock.sleep(slow.lifeMs).then(() => plainProvider(slow).spawn({ key: "k" }));
    const instance = await launch(plainProvider(slow), { key: "k" }, control);
    expect(instance.id).toBe((await late).id);
    expect(living(slow)).toHaveLength(1);
  });

  test("a spawn sent long after its intent was written is still found", async () => {
    const slow = plainProvider(world);
    const paced = {
      ...slow,
      spawn: async (options: Parameters<typeof slow.spawn>[0]) => {
        clock.advance(10 * world.lagMs);
        return slow.spawn(options);
      },
    };
    await launch(paced, { key: "k" }, { ...control, failpoint: dieAt("after-spawn") }).catch(() => undefined);
    await launch(slow, { key: "k" }, control);
    expect(living(world)).toHaveLength(1);
  });

  test("an intent with nothing behind it is launched again only after the lag", async () => {
    await launch(plainProvider(world), { key: "k" }, { ...control, failpoint: dieAt("after-intent") }).catch(
      () => undefined,
    );
    const before = clock.now();
    await launch(plainProvider(world), { key: "k" }, control);
    expect(clock.now() - before).toBeGreaterThanOrEqual(world.lagMs);
    expect(await record()).toMatchObject({ attempt: 2 });
  });

  test("a get that does not show a fresh instance proves nothing", async () => {
    const first = await launch(plainProvider(world), { key: "k" }, control);
    expect(await plainProvider(world).get(first.id)).toBeNull();
    expect((await launch(plainProvider(world), { key: "k" }, control)).id).toBe(first.id);
    expect(living(world)).toHaveLength(1);
  });

  test("a record's time is cut to the millisecond, and so a moment too early to prove anything", async () => {
    clock.advance(0.75);
    const first = await launch(plainProvider(world), { key: "k" }, control);
    clock.advance(world.lagMs - 0.5);
    const second = await launch(plainProvider(world), { key: "k" }, control);
    expect(second.id).toBe(first.id);
    expect(living(world)).toHaveLength(1);
  });

  test("a listing that still shows the terminated predecessor does not pass for the new one", async () => {
    const first = await launch(plainProvider(world), { key: "k" }, control);
    clock.advance(world.lagMs);
    setStatus(world, first.id, "terminated");
    clock.advance(world.lagMs);
    await launch(plainProvider(world), { key: "k" }, { ...control, failpoint: dieAt("after-intent") }).catch(
      () => undefined,
    );
    // The remote's listing falls back behind the termination.
    setStatus(world, first.id, "running");
    setStatus(world, first.id, "terminated");
    const second = await launch(plainProvider(world), { key: "k" }, control);
    expect(second.id).not.toBe(first.id);
    expect(second.status).toBe("running");
  });

  test("a remote that cannot be listed keeps the intent, and the first failure is what is told", async () => {
    world.spawnFaults.push("lost");
    const down = new Error("socket closed");
    world.readFaults.push(...Array.from({ length: 20 }, () => down));
    const error = await failureOf(launch(plainProvider(world), { key: "k" }, control));
    expect(error).toMatchObject({ code: "NETWORK", effect: "unknown", operation: "spawn" });
    expect(await record()).toMatchObject({ state: "intended" });
    world.readFaults.length = 0;
    await launch(plainProvider(world), { key: "k" }, control);
    expect(living(world)).toHaveLength(1);
  });

  test("of several instances under the key the oldest is adopted", async () => {
    await launch(plainProvider(world), { key: "k" }, { ...control, failpoint: dieAt("after-spawn") }).catch(
      () => undefined,
    );
    clock.advance(1000);
    await launch(plainProvider(world), { key: "k" }, { ...control, store: memoryStore() });
    clock.advance(world.lagMs);
    expect((await launch(plainProvider(world), { key: "k" }, control)).id).toBe("m-1");
  });
});

describe("a key whose name the remote still holds", () => {
  /** Its last instance is ending until then. */
  const heldUntil = (until: number): SafeProvider => {
    const safe = safeProvider(world);
    return {
      ...safe,
      spawn: async (options) => {
        if (clock.now() >= until) return await safe.spawn(options);
        world.calls.push("busy");
        throw new ProviderError("BUSY", {
          message: "m-0 is ending",
          provider: "scripted",
          operation: "spawn",
          effect: "none",
          retryAfterMs: 7000,
        });
      },
    };
  };

  test("is waited for, as long as the remote says", async () => {
    const instance = await launch(heldUntil(clock.now() + 60_000), { key: "k" }, control);
    expect(living(world).map(({ id }) => id)).toEqual([instance.id]);
    expect(world.calls.filter((call) => call === "busy")).toHaveLength(9);
    expect(await record()).toMatchObject({ state: "launched", attempt: 1 });
  });

  test("is waited for also where an earlier process sent the request", async () => {
    const dying = { ...control, failpoint: dieAt("after-intent") };
    await launch(safeProvider(world), { key: "k" }, dying).catch(() => undefined);
    await launch(heldUntil(clock.now() + 60_000), { key: "k" }, control);
    expect(living(world)).toHaveLength(1);
  });

  test("ends the launch after ten minutes, and nothing was made", async () => {
    const error = await failureOf(launch(heldUntil(Number.POSITIVE_INFINITY), { key: "k" }, control));
    expect(error).toMatchObject({ code: "BUSY", effect: "none" });
    expect(clock.elapsed()).toBeGreaterThanOrEqual(600_000);
    expect(clock.elapsed()).toBeLessThan(610_000);
    expect(await record()).toMatchObject({ state: "refused" });
  });

  test("ends the launch at its timeoutMs, be it shorter or longer", async () => {
    for (const timeoutMs of [20_000, 900_000]) {
      const before = clock.now();
      const waiting = launch(heldUntil(Number.POSITIVE_INFINITY), { key: "k", timeoutMs }, control);
      expect(await failureOf(waiting)).toMatchObject({ code: "TIMEOUT", effect: "none" });
      expect(clock.now() - before).toBeGreaterThanOrEqual(timeoutMs);
      expect(await record()).toMatchObject({ state: "refused" });
    }
  });
});

describe("placements", () => {
  const placements = [{ spec: "a" }, { spec: "b" }, { spec: "c" }];

  test("the next one is not tried while what an earlier process sent may be there and cannot be looked for", async () => {
    const provider = safeProvider(world);
    const dying = launch(provider, { key: "k" }, { ...control, placements, failpoint: dieAt("after-spawn") });
    await expect(dying).rejects.toThrow(Killed);
    world.spawnFaults.push("refused-capacity", "refused-capacity");
    const at = { provider: "scripted", operation: "list", effect: "none" } as const;
    world.readFaults.push(new ProviderError("AUTH_ERROR", { message: "no", ...at }));
    const error = await failureOf(launch(provider, { key: "k" }, { ...control, placements }));
    expect(error.code).toBe("CAPACITY_ERROR");
    expect(world.requests).toHaveLength(1);
    expect(await record()).toMatchObject({ state: "intended", placement: 0 });
    world.spawnFaults.length = 0;
    expect((await launch(provider, { key: "k" }, { ...control, placements })).id).toBe("m-1");
    expect(living(world)).toHaveLength(1);
  });

  test("are tried in order after failures that made nothing", async () => {
    world.spawnFaults.push("refused-capacity", "refused-capacity");
    const instance = await launch(plainProvider(world), { key: "k" }, { ...control, placements });
    expect(instance.spec).toBe("c");
    const tried = events.filter((event) => event.type === "placement.tried");
    expect(tried.map(({ placement, outcome }) => [placement, outcome])).toEqual([
      ["a", "CAPACITY_ERROR"],
      ["b", "CAPACITY_ERROR"],
      ["c", "ok"],
    ]);
    expect((await launch(plainProvider(world), { key: "k" }, { ...control, placements })).id).toBe(instance.id);
  });

  test("are not tried after a failure that is not about the place", async () => {
    world.spawnFaults.push("refused-quota");
    const error = await failureOf(launch(plainProvider(world), { key: "k" }, { ...control, placements }));
    expect(error.code).toBe("QUOTA_EXCEEDED");
    expect(world.calls).toEqual(["spawn"]);
  });

  test("are not tried while the first may have made something", async () => {
    world.spawnFaults.push("lost");
    const instance = await launch(plainProvider(world), { key: "k" }, { ...control, placements });
    expect(instance.spec).toBe("a");
    expect(living(world)).toHaveLength(1);
  });

  test("are not tried after a failure that says it has made something, though nothing is found", async () => {
    const plain = plainProvider(world);
    const odd = {
      ...plain,
      spawn: async () => {
        const made = { message: "half", provider: "scripted", operation: "spawn", effect: "applied" } as const;
        throw new ProviderError("CAPACITY_ERROR", made);
      },
    };
    const error = await failureOf(launch(odd, { key: "k" }, { ...control, placements }));
    expect(error).toMatchObject({ code: "CAPACITY_ERROR", effect: "applied" });
    expect(await record()).toMatchObject({ state: "intended", placement: 0 });
  });

  test("the last one's failure is told", async () => {
    world.spawnFaults.push("refused-capacity", "refused-capacity", "refused-capacity");
    const error = await failureOf(launch(plainProvider(world), { key: "k" }, { ...control, placements }));
    expect(error).toMatchObject({ code: "CAPACITY_ERROR", effect: "none" });
    expect(await record()).toMatchObject({ state: "refused", placement: 2 });
  });

  test("the placement stands in the intent before the call", async () => {
    world.spawnFaults.push("refused-capacity");
    let intents = 0;
    const failpoint = (name: LaunchFailpoint): void => {
      if (name === "after-intent" && ++intents === 2) throw new Killed();
    };
    await launch(safeProvider(world), { key: "k" }, { ...control, placements, failpoint }).catch(() => undefined);
    expect(await record()).toMatchObject({ state: "intended", placement: 1, request: { spec: "b" } });
    expect((await launch(safeProvider(world), { key: "k" }, { ...control, placements })).spec).toBe("b");
  });
});

describe("an instance that was half made and is gone", () => {
  /** The second spawn begins once the first instance has ended, so that it makes another one. */
  function endsMeanwhile(fault: SpawnFault): SafeProvider {
    const provider = safeProvider(world);
    return {
      ...provider,
      spawn: async (options) => {
        if (world.requests.length === 1) {
          setStatus(world, "m-1", "terminated");
          world.spawnFaults.push(fault);
        }
        return await provider.spawn(options);
      },
    };
  }

  test("that ends while it is completed: what the second spawn made is not forgotten with it", async () => {
    const provider = endsMeanwhile("lost");
    const budget = { maxUsdPerDay: 30, usdPerHour: 1 };
    world.spawnFaults.push("applied");
    await failureOf(launch(provider, { key: "k" }, { ...control, budget }));
    expect(await record()).toMatchObject({ state: "launched", instanceId: "m-1" });
    clock.advance(60_000);
    expect(await failureOf(launch(provider, { key: "k" }, { ...control, budget }))).toMatchObject({
      effect: "unknown",
    });
    expect(living(world).map(({ id }) => id)).toEqual(["m-2"]);
    await terminateAndConfirm(provider, "m-1", control);
    expect(await failureOf(launch(provider, { key: "other" }, { ...control, budget }))).toMatchObject({
      code: "QUOTA_EXCEEDED",
    });
    expect((await launch(provider, { key: "k" }, { ...control, budget })).id).toBe("m-2");
    expect((await reconcile(provider, control)).items).toEqual([]);
    expect(await record()).toMatchObject({ state: "launched", instanceId: "m-2" });
  });

  test("is not taken for what was made in its place, though a listing still shows it", async () => {
    const dying = launch(safeProvider(world), { key: "k" }, { ...control, failpoint: dieAt("after-spawn") });
    await expect(dying).rejects.toBeInstanceOf(Killed);
    clock.advance(60_000);
    expect(await failureOf(launch(endsMeanwhile("applied"), { key: "k" }, control))).toMatchObject({
      effect: "applied",
    });
    expect(await record()).toMatchObject({ state: "launched", instanceId: "m-2" });
    setStatus(world, "m-2", "running");
    clock.advance(60_000);
    expect((await launch(safeProvider(world), { key: "k" }, control)).id).toBe("m-2");
  });

  test("and was recorded: nor there", async () => {
    const provider = endsMeanwhile("applied");
    world.spawnFaults.push("applied");
    await failureOf(launch(provider, { key: "k" }, control));
    clock.advance(60_000);
    expect(await failureOf(launch(provider, { key: "k" }, control))).toMatchObject({ effect: "applied" });
    expect(await record()).not.toHaveProperty("instanceId", "m-1");
    expect((await launch(safeProvider(world), { key: "k" }, control)).id).toBe("m-2");
  });
});

describe("bad input and broken stores", () => {
  test("a malformed key is refused before anything is stored", async () => {
    const error = await failureOf(launch(plainProvider(world), { key: "" }, control));
    expect(error).toMatchObject({ code: "INVALID_SPEC", effect: "none" });
    expect(await allEntries(store)).toEqual([]);
  });

  test("callers without types need a store as well", async () => {
    // What a caller without types could pass.
    const untyped = launch as (provider: unknown, options: object) => Promise<unknown>;
    const error = await failureOf(untyped(plainProvider(world), { key: "k" }));
    expect(error).toMatchObject({ code: "UNSUPPORTED", effect: "none" });
    expect(error.message).toContain("takes every create for a new one");
  });

  test("without a store an idempotent provider launches", async () => {
    const provider = safeProvider(world);
    const [first, second] = [await launch(provider, { key: "k" }), await launch(provider, { key: "k" })];
    expect(first.id).toBe(second.id);
  });

  test("an id that cannot be recorded is told with the instance's name, and found again", async () => {
    const full = new StoreError("FULL", { message: "no space", hint: "Free some." });
    let writes = 0;
    const failing: Store = {
      ...store,
      write: async (id, value) => {
        if (++writes === 2) throw full;
        return store.write(id, value);
      },
    };
    const error: unknown = await launch(plainProvider(world), { key: "k" }, { ...control, store: failing }).catch(
      (reason: unknown) => reason,
    );
    expect(isStoreError(error, "FULL")).toBe(true);
    expect(String(error)).toContain("m-1");
    expect((await launch(plainProvider(world), { key: "k" }, control)).id).toBe("m-1");
    expect(living(world)).toHaveLength(1);
  });

  test("an id that cannot be recorded because the lease was lost promises nothing that is not known", async () => {
    let writes = 0;
    const failing: Store = {
      ...store,
      write: async (id, value) => {
        if (++writes >= 2) throw new StoreError("NOT_HELD", { message: "not held", hint: "Take the lease." });
        return store.write(id, value);
      },
    };
    const error: unknown = await launch(plainProvider(world), { key: "k" }, { ...control, store: failing }).catch(
      (reason: unknown) => reason,
    );
    expect(isStoreError(error, "NOT_HELD")).toBe(true);
    expect(error).toMatchObject({ hint: expect.stringContaining("reconcile") });
    expect(error).not.toMatchObject({ hint: expect.stringContaining("finds the instance") });
  });

  test("a store that cannot be written stops the launch before anything is sent", async () => {
    const failing: Store = {
      ...store,
      write: async () => {
        throw new StoreError("READ_ONLY", { message: "read-only", hint: "Mount it writable." });
      },
    };
    const launching = launch(plainProvider(world), { key: "k" }, { ...control, store: failing });
    await expect(launching).rejects.toMatchObject({ code: "READ_ONLY" });
    expect(world.calls).toEqual([]);
    expect(
      await store.acquire(launchId({ provider: "scripted", account: "", owner: "tests", key: "k" })),
    ).not.toBeNull();
  });

  test("an abort while looking tells that the outcome is not known, and the next launch finds it", async () => {
    const controller = new AbortController();
    world.spawnFaults.push("lost");
    const abortOnWait = (event: RuntimeEvent): void => {
      if (event.type === "wait") controller.abort();
    };
    const cancelled = launch(
      plainProvider(world),
      { key: "k" },
      { ...control, signal: controller.signal, onEvent: abortOnWait },
    );
    expect(await failureOf(cancelled)).toMatchObject({ effect: "unknown" });
    await launch(plainProvider(world), { key: "k" }, control);
    expect(living(world)).toHaveLength(1);
  });

  test("timeoutMs ends the whole launch", async () => {
    world.spawnFaults.push("lost");
    const error = await failureOf(launch(plainProvider(world), { key: "k", timeoutMs: 1000 }, control));
    expect(error.effect).toBe("unknown");
    expect(clock.elapsed()).toBeLessThan(world.lagMs);
    expect(await record()).toMatchObject({ state: "intended" });
  });
});
