import { isProviderError, type Offering } from "@slipway/core";
import {
  type AnywhereFailpoint,
  type AnywhereLaunch,
  AnywhereRefusal,
  launch,
  launchAnywhere,
  memoryStore,
  terminateAndConfirm,
} from "../src/index.ts";
import { type Cloud, cloudOf, offering } from "./anywhere-cloud.ts";
import { living, type SpawnFault } from "./scripted-provider.ts";
import { simulatedClock } from "./simulated-clock.ts";

export interface HistoryCounts {
  readonly launched: number;
  readonly failedOver: number;
  readonly refused: number;
  readonly conflicts: number;
  readonly killed: number;
}

const POINTS: readonly AnywhereFailpoint[] = [
  "before-choice",
  "after-choice",
  "before-next",
  "before-intent",
  "after-intent",
  "after-spawn",
  "after-record",
];
const FAULTS: readonly (SpawnFault | undefined)[] = [
  undefined,
  undefined,
  "refused-capacity",
  "refused-capacity",
  "refused-quota",
  "lost",
  "dropped",
  "applied",
];

class Killed extends Error {}

/** Numbers from a seed (mulberry32). */
function randomFrom(seed: number): <T>(items: readonly T[]) => T {
  let state = seed;
  return (items) => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    const fraction = ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
    // The index is below the length, and no list here is empty; an item may itself be undefined.
    return items[Math.floor(fraction * items.length)] as (typeof items)[number];
  };
}

/**
 * One history: two processes launch two keys anywhere, at the same time, over three clouds whose prices and capacity change;
 * they are killed at any point, answers are lost, and one cloud is also launched on by itself. Throws where a key has two
 * instances at any time, or where one costs more than what its attempt could have had.
 */
export async function playAnywhere(seed: number): Promise<HistoryCounts> {
  const pick = randomFrom(seed);
  const clock = simulatedClock();
  const store = memoryStore();
  const clouds = [cloudOf("one", clock, 1), cloudOf("two", clock, 2), cloudOf("three", clock, 3)] as const;
  const counts = { launched: 0, failedOver: 0, refused: 0, conflicts: 0, killed: 0 };
  const check = (): void => {
    for (const key of ["a", "b"]) {
      const alive = clouds.flatMap(({ world, provider }) =>
        living(world, key).map(({ id }) => `${provider.name} ${id}`),
      );
      if (alive.length > 1) throw new Error(`seed ${seed}: ${key} runs as ${alive.join(" and ")}`);
    }
  };

  const attempt = async (key: string): Promise<void> => {
    const read = new Map<string, readonly Offering[]>();
    const providers = clouds.map(({ provider }) => ({
      ...provider,
      listOfferings: async () => {
        await clock.sleep(pick([1, 20, 300]));
        const offerings = await provider.listOfferings();
        read.set(provider.name, offerings);
        return offerings;
      },
    }));
    const dieAt = pick([undefined, undefined, undefined, ...POINTS]);
    const failpoint = async (name: AnywhereFailpoint): Promise<void> => {
      check();
      if (name === dieAt) throw new Killed();
      await clock.sleep(pick([1, 50, 2000]));
    };
    try {
      const options = { key, gpu: { type: "a100" }, maxUsdPerHour: 4 };
      checkPrice(seed, read, await launchAnywhere(providers, options, { store, clock, failpoint }));
      counts.launched += 1;
    } catch (error) {
      if (error instanceof Killed) counts.killed += 1;
      else if (error instanceof AnywhereRefusal) counts.refused += 1;
      else if (isProviderError(error, "CONFLICT")) counts.conflicts += 1;
      else if (!isProviderError(error)) throw error;
    }
    check();
  };
  const checkPrice = (at: number, read: ReadonlyMap<string, readonly Offering[]>, made: AnywhereLaunch): void => {
    // An earlier attempt's choice: nothing was read.
    if (read.size === 0) return;
    const refused = new Set(made.tried.map(({ place }) => place.provider));
    if (refused.size > 0) counts.failedOver += 1;
    const prices = [...read].flatMap(([name, offerings]) =>
      refused.has(name) ? [] : offerings.map(({ price }) => price?.usdPerHour ?? Number.MAX_VALUE),
    );
    if (made.place.price?.usdPerHour !== Math.min(...prices)) {
      throw new Error(`seed ${at}: ${made.place.price?.usdPerHour} was paid, of ${prices.join(", ")}`);
    }
  };

  const direct = async (cloud: Cloud, key: string): Promise<void> => {
    const { provider } = cloud;
    // It may be slow between its look at the store and its intent.
    const failpoint = (): Promise<void> => clock.sleep(pick([1, 100, 3000]));
    await launch(provider, { key }, { store, clock, failpoint }).catch((error: unknown) => {
      if (!isProviderError(error)) throw error;
    });
    check();
  };
  const change = (): void => {
    for (const cloud of clouds) {
      cloud.offerings = [offering(pick([0.5, 1, 1.5, 2, 2.5, 3, 5]))].slice(pick([0, 0, 0, 1]));
      cloud.world.spawnFaults.splice(0, 8, ...[0, 1, 2].map(() => pick(FAULTS)));
    }
  };
  const terminate = async (key: string): Promise<void> => {
    for (const { world, provider } of clouds) {
      for (const { id } of living(world, key)) await terminateAndConfirm(provider, id, { store, clock });
    }
  };

  for (let round = 0; round < 6; round += 1) {
    change();
    const [first, second] = [pick(["a", "b"]), pick(["a", "b"])];
    await Promise.all([
      attempt(first),
      clock.sleep(pick([1, 100, 1000])).then(() => attempt(second)),
      ...(pick([true, false, false]) ? [clock.sleep(pick([1, 400])).then(() => direct(clouds[1], first))] : []),
    ]);
    if (pick([true, false, false])) await terminate(first);
  }
  for (const { world } of clouds) world.spawnFaults.length = 0;
  clock.advance(60_000);
  for (const cloud of clouds) cloud.offerings = [offering(1)];
  for (const key of ["a", "b"]) {
    // A key that was launched by itself stays there.
    const alone = clouds.some(({ world }) => living(world, key).some(({ spec }) => spec === undefined));
    if (!alone) {
      const providers = clouds.map(({ provider }) => provider);
      await launchAnywhere(providers, { key, gpu: { type: "a100" }, maxUsdPerHour: 4 }, { store, clock }).catch(
        (error: unknown) => {
          // What was begun by itself, and never answered.
          if (!isProviderError(error, "CONFLICT")) throw error;
        },
      );
    }
    check();
  }
  return counts;
}
