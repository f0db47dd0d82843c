// Two processes and one key while EC2's reads lag. SLIPWAY_KEY_RUNS says how many histories are run, SLIPWAY_FIRST_SEED
// where they begin; a seed gives the same history again. `npm run soak:suite` runs 200, `npm run soak:tests` 2 000.
import "@aws-sdk/client-ec2";
import { type LaunchFailpoint, launch, memoryStore, type Store } from "@slipway/control";
import { isProviderError } from "@slipway/core";
import { type SeededRandom, seededRandom } from "@slipway/provider-kit/emulator";
import { expect, test } from "vitest";
import type { AWSSpawnOptions } from "../src/index.ts";
import { type AwsWorld, awsWorld } from "./world.ts";

const RUNS = Number(process.env["SLIPWAY_KEY_RUNS"] ?? "10");
const FIRST_SEED = Number(process.env["SLIPWAY_FIRST_SEED"] ?? "1");
const LAG_MS = 30_000;
const REQUEST_LIFE_MS = 120_000;
const REGIONS = ["us-east-1", "eu-central-1"] as const;
const POINTS: readonly LaunchFailpoint[] = ["before-intent", "after-intent", "after-spawn", "after-record"];

const live = ({ emulator }: AwsWorld) => emulator.control.instances().filter((one) => one.live);

test("two spawns that share nothing and name two zones both launch while reads lag: the promise is off", async () => {
  const world = awsWorld({ readLagMs: LAG_MS }, { readAfterWriteMs: LAG_MS });
  const [a, b] = await world.provider.placements({ spec: "t3.micro" });
  await world.another().spawn({ key: "k", spec: "t3.micro", ...a });
  await world.another().spawn({ key: "k", spec: "t3.micro", ...b });
  expect(live(world)).toHaveLength(2);
  expect(world.provider.capabilities.idempotentSpawn).toBe(false);
});

class Killed extends Error {}

interface History {
  readonly world: AwsWorld;
  readonly store: Store;
  readonly random: SeededRandom;
  readonly places: readonly AWSSpawnOptions[];
}

/** The wire of a process that dies with one of its requests, which may still arrive as long as a request lives. */
function dying({ world, random }: History, fetch: typeof globalThis.fetch): typeof globalThis.fetch {
  const at = 1 + random.whole(6);
  const how = random.whole(3);
  let sent = 0;
  return async (input, init) => {
    sent += 1;
    if (sent < at) return await fetch(input, init);
    if (sent > at || how === 0) throw new Killed();
    const { signal: _own, ...request } = init ?? {};
    const late = how === 1 ? 0 : random.whole(REQUEST_LIFE_MS);
    const arrived = world.emulator.clock.sleep(late).then(() => fetch(input, request));
    if (how === 1) await arrived;
    else void arrived.catch(() => undefined);
    throw new Killed();
  };
}

/** One process: it launches the key, somewhere, and may die on its way. */
async function launchOnce(history: History, kills: boolean): Promise<string | null> {
  const { world, store, random, places } = history;
  const { runtime = {} } = world.options();
  const roll = kills ? random.next() : 1;
  const point = POINTS[random.whole(POINTS.length)];
  const wire = runtime.fetch ?? globalThis.fetch;
  const provider = world.another({ runtime: { ...runtime, fetch: roll < 0.4 ? dying(history, wire) : wire } });
  const [first, second] = [places[random.whole(places.length)], places[random.whole(places.length)]];
  // A place of the request, places for `launch` to try, or none.
  const way = random.whole(3);
  const options = { key: "k", spec: "t3.micro" } as const;
  try {
    const { id } = await launch(provider, way === 0 ? { ...options, ...first } : options, {
      store,
      clock: world.emulator.clock,
      leaseTimeoutMs: random.next() < 0.5 ? 0 : 600_000,
      ...(way === 1 ? { placements: [first ?? {}, second ?? {}] } : {}),
      failpoint: (name) => {
        if (roll >= 0.4 && roll < 0.6 && name === point) throw new Killed();
      },
    });
    return id;
  } catch (error) {
    if (!isProviderError(error) && !(error instanceof Killed)) throw error;
    return null;
  }
}

async function play(seed: number, places: readonly AWSSpawnOptions[]): Promise<void> {
  const random = seededRandom(seed);
  const world = awsWorld(
    { readLagMs: random.whole(LAG_MS + 1), latencyMs: 1 + random.whole(50), endMs: 5_000, seed, regions: [...REGIONS] },
    { readAfterWriteMs: LAG_MS, regions: REGIONS },
  );
  const { clock, control } = world.emulator;
  const history: History = { world, store: memoryStore(), random, places };
  // In some, the key has had an instance that has ended: EC2 still shows it, or shows it no more.
  const before = random.next() < 0.5 ? await launchOnce(history, false) : null;
  if (before !== null) {
    await world.another().terminate(before);
    await clock.sleep(random.next() < 0.5 ? random.whole(LAG_MS) : 3_600_000 + random.whole(60_000));
  }
  const one = async (): Promise<void> => {
    for (let turn = 0; turn < 2; turn += 1) {
      await clock.sleep(random.whole(40_000));
      await launchOnce(history, true);
      expect(live(world).length, `seed ${seed}`).toBeLessThanOrEqual(1);
    }
  };
  await Promise.all([one(), one()]);
  await clock.sleep(REQUEST_LIFE_MS + LAG_MS);
  expect(live(world).length, `seed ${seed}`).toBeLessThanOrEqual(1);
  for (const { nativeId } of live(world)) control.crash(nativeId);
  await clock.sleep(2 * LAG_MS);
  const last = await launchOnce(history, false);
  expect(last === null ? [] : live(world).map(({ id }) => id.split("/").at(-1)), `seed ${seed}`).toEqual(
    last === null ? [] : [last.split("/").at(-1)],
  );
}

test(`${RUNS} histories of two processes with one store: never more than one instance`, async () => {
  // The emulator's subnets are the same in every run.
  const [a, b] = await awsWorld().provider.placements({ spec: "t3.micro" });
  const places = [{}, a ?? {}, b ?? {}, { region: REGIONS[1] }];
  for (let seed = FIRST_SEED; seed < FIRST_SEED + RUNS; seed += 1) await play(seed, places);
}, 3_600_000);
