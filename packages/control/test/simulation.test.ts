// Processes on machines whose clocks differ, reads that lag, requests that arrive late, and kills at any await: whatever the
// order, a key has one instance at most, none that a launch has answered is ended, and the effect of every error is true. A seed gives the same history again.
// SLIPWAY_SEEDS says how many there are, SLIPWAY_FIRST_SEED where they begin.
import { isProviderError, type Provider, ProviderError } from "@slipway/core";
import { expect, test } from "vitest";
import { apply, type Lease, launch, memoryStore, reconcile, type Store } from "../src/index.ts";
import { living, newWorld, plainProvider, safeProvider, setStatus, type World } from "./scripted-provider.ts";
import { simulatedClock } from "./simulated-clock.ts";

const SEEDS = Number(process.env["SLIPWAY_SEEDS"] ?? 50);
const FIRST_SEED = Number(process.env["SLIPWAY_FIRST_SEED"] ?? 1);
const LAG_MS = 5000;
const LIFE_MS = 40_000;
const CLOCKS_DIFFER_MS = 600_000;
const KEYS = ["a", "b"] as const;

type Random = () => number;

function randomFrom(seed: number): Random {
  let state = seed * 0x9e3779b9;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

interface Model {
  readonly world: World;
  readonly store: Store;
  readonly random: Random;
  readonly make: (world: World) => Provider;
  /** The instance that the last launch of a key has answered. */
  readonly wanted: Map<string, string>;
  readonly ended: Set<string>;
  /** How many errors have had each effect. */
  readonly effects: Map<string, number>;
}

interface SimulatedProcess {
  readonly provider: Provider;
  readonly control: { readonly store: Store; readonly clock: World["clock"] };
  /** Ids of what its requests have made, however late. */
  readonly made: string[];
  /** Ids that its requests have ended. */
  readonly terminated: string[];
  /** Resolves to the work's end, or to "killed" as soon as the process dies. */
  readonly run: <T>(work: () => Promise<T>) => Promise<T | "killed">;
}

/** A process with a clock of its own, killed at the given one of its awaits. */
function startProcess({ world, store, random, make }: Model, killAt: number, faults: boolean): SimulatedProcess {
  const offset = Math.round((random() * 2 - 1) * CLOCKS_DIFFER_MS);
  const clock = { ...world.clock, now: () => world.clock.now() + offset };
  const leases = new Map<string, Lease>();
  const made: string[] = [];
  const terminated: string[] = [];
  const never = new Promise<never>(() => undefined);
  let die: (how: "killed") => void = () => undefined;
  const died = new Promise<"killed">((resolve) => {
    die = resolve;
  });
  let awaits = 0;
  const isKilled = (): boolean => ++awaits >= killAt;
  const step = async (): Promise<void> => {
    if (!isKilled()) return;
    await kill();
  };
  const kill = async (): Promise<never> => {
    for (const lease of leases.values()) await store.release(lease);
    die("killed");
    return never;
  };
  const around =
    <A extends readonly unknown[], R>(work: (...args: A) => Promise<R>) =>
    async (...args: A): Promise<R> => {
      await step();
      const answer = await work(...args);
      await step();
      return answer;
    };

  const real = make(world);
  const arrive = async (options: Parameters<Provider["spawn"]>[0]) => {
    const before = world.machines.size;
    const instance = await real.spawn(options);
    const remote = world.machines.get(instance.id);
    if (world.machines.size > before && remote !== undefined) {
      made.push(instance.id);
      remote.shownAt = world.clock.now() + random() * LAG_MS;
    }
    return instance;
  };
  const spawn: Provider["spawn"] = async (options) => {
    await step();
    const { signal: _signal, ...request } = options;
    const late = () => void world.clock.sleep(random() * LIFE_MS).then(() => arrive(request).catch(() => undefined));
    if (isKilled()) {
      if (random() < 0.8) late();
      return kill();
    }
    if (faults && random() < 0.25) {
      const details = { message: "cut off", provider: "scripted", operation: "spawn" } as const;
      const sent = random() < 0.7;
      if (sent) late();
      throw new ProviderError("NETWORK", { ...details, effect: sent || random() < 0.5 ? "unknown" : "none" });
    }
    const before = made.length;
    const instance = await arrive(request);
    await step();
    if (faults && made.length > before && random() < 0.1) {
      const details = { message: `${instance.id} runs, but not as asked for`, provider: "scripted" } as const;
      throw new ProviderError("CONFLICT", { ...details, operation: "spawn", effect: "applied" });
    }
    return instance;
  };
  const terminate: Provider["terminate"] = async (id, call) => {
    await step();
    const fails = faults && random() < 0.5;
    const sent = !fails || random() < 0.5;
    if (sent) {
      await real.terminate(id, call);
      terminated.push(id);
    }
    await step();
    if (!fails) return;
    const details = { message: "cut off", provider: "scripted", operation: "terminate" } as const;
    throw new ProviderError("NETWORK", { ...details, effect: sent || random() < 0.5 ? "unknown" : "none" });
  };
  return {
    provider: { ...real, spawn, get: around(real.get), list: around(real.list), terminate },
    control: {
      clock,
      store: {
        ...store,
        acquire: async (id) => {
          await step();
          const lease = await store.acquire(id);
          if (lease !== null) leases.set(id, lease);
          await step();
          return lease;
        },
        release: async (lease) => {
          await step();
          await store.release(lease);
          leases.delete(lease.id);
          await step();
        },
        read: around(store.read),
        write: around(store.write),
        remove: around(store.remove),
        entries: async function* (filter) {
          await step();
          yield* store.entries(filter);
          await step();
        },
      },
    },
    made,
    terminated,
    run: (work) => Promise.race([work(), died]),
  };
}

async function launchIn(model: Model, key: string, killAt: number, faults = true): Promise<string | null> {
  const one = startProcess(model, killAt, faults);
  const spec = "small";
  try {
    const answer = await one.run(() =>
      launch(one.provider, { key, spec }, { ...one.control, leaseTimeoutMs: 120_000 }),
    );
    if (answer === "killed") return null;
    if (!model.ended.has(answer.id)) model.wanted.set(key, answer.id);
    return answer.id;
  } catch (error) {
    if (!isProviderError(error)) throw error;
    await model.world.clock.sleep(LIFE_MS + 1);
    if (error.effect === "none") expect(one.made, `${error.message}: effect none`).toEqual([]);
    if (error.effect === "applied") expect(one.made, `${error.message}: effect applied`).not.toEqual([]);
    countEffect(model, error);
    return null;
  }
}

async function reconcileIn(model: Model, killAt: number, faults = true): Promise<void> {
  const one = startProcess(model, killAt, faults);
  const results = await one.run(async () => {
    const plan = await reconcile(one.provider, one.control);
    return await apply(one.provider, plan, one.control);
  });
  if (results === "killed") return;
  for (const result of results) {
    const { instanceId } = result.item;
    if (result.outcome === "terminated") expect(one.terminated).toContain(instanceId);
    if (result.outcome === "forgotten") expect(one.terminated).not.toContain(instanceId);
    if (result.outcome !== "failed") continue;
    if (!isProviderError(result.error)) throw result.error;
    countEffect(model, result.error);
    if (result.error.effect === "none") expect(one.terminated, "effect none").not.toContain(instanceId);
    if (result.error.effect === "applied") expect(one.terminated, "effect applied").toContain(instanceId);
  }
}

function countEffect({ effects }: Model, { operation, effect }: ProviderError): void {
  const name = `${operation} ${effect}`;
  effects.set(name, (effects.get(name) ?? 0) + 1);
}

function check({ world, wanted }: Model): void {
  for (const key of KEYS) {
    const alive = living(world, key).map(({ id }) => id);
    expect(alive.length, `instances of ${key}: ${alive.join(", ")}`).toBeLessThanOrEqual(1);
    const id = wanted.get(key);
    if (id !== undefined) expect(alive, `${id} was answered for ${key}`).toEqual([id]);
  }
}

async function play(seed: number, make: Model["make"], effects: Model["effects"]): Promise<number> {
  const random = randomFrom(seed);
  const world = newWorld(simulatedClock(), LAG_MS, LIFE_MS);
  const model: Model = { world, store: memoryStore(), random, make, wanted: new Map(), ended: new Set(), effects };
  const anyKey = (): string => KEYS[Math.floor(random() * KEYS.length)] ?? "a";
  const anyAwait = (): number => (random() < 0.5 ? 1 + Math.floor(random() * 24) : Number.POSITIVE_INFINITY);
  let kills = 0;
  const act = async (): Promise<void> => {
    const what = random();
    const killAt = anyAwait();
    if (killAt < 100) kills += 1;
    if (what < 0.55) await launchIn(model, anyKey(), killAt);
    else if (what < 0.8) await reconcileIn(model, killAt);
    // Nobody's: what reconcile ends is seen here.
    else if (what < 0.85) await make(world).spawn({ key: `stray-${world.machines.size}` });
    else if (what < 0.9) await world.clock.sleep(random() * 2 * LAG_MS);
    else {
      const key = anyKey();
      for (const { id } of living(world, key)) {
        model.ended.add(id);
        model.wanted.delete(key);
        setStatus(world, id, "terminated");
      }
    }
  };
  for (let round = 0; round < 6; round += 1) {
    await Promise.all(Array.from({ length: random() < 0.4 ? 2 : 1 }, act));
    check(model);
  }
  await world.clock.sleep(2 * LAG_MS);
  for (const key of KEYS) {
    const id = await launchIn(model, key, Number.POSITIVE_INFINITY, false);
    check(model);
    await reconcileIn(model, Number.POSITIVE_INFINITY, false);
    expect(living(world, key).map((one) => one.id)).toEqual([id]);
  }
  return kills;
}

test.each([
  ["is not idempotent", plainProvider],
  ["is idempotent", safeProvider],
] as const)(
  "over a spawn that %s: one instance per key, none that was answered is ended, every effect is true",
  { timeout: 3_600_000 },
  async (_name, make) => {
    let kills = 0;
    const effects: Model["effects"] = new Map();
    for (let seed = FIRST_SEED; seed < FIRST_SEED + SEEDS; seed += 1) {
      try {
        kills += await play(seed, make, effects);
      } catch (error) {
        throw new Error(`seed ${seed}: ${error instanceof Error ? error.message : String(error)}`, { cause: error });
      }
    }
    expect(kills).toBeGreaterThan(SEEDS);
    // An effect that never occurs has proved nothing.
    const seen = ["spawn none", "spawn applied", "terminate none", "terminate unknown"];
    if (SEEDS >= 50) expect([...effects.keys()]).toEqual(expect.arrayContaining(seen));
  },
);

// The first call did nothing, the instance that was found under the key ended meanwhile, and the same request, sent again to
// complete it, made another one: an error that says "none" would be false.
test("a history that has shown a false effect", async () => {
  await play(4039, safeProvider, new Map());
});
