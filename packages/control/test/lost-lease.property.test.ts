import { isProviderError, type Provider, ProviderError } from "@slipway/core";
import { expect, test } from "vitest";
import { isStoreError, launch, memoryStore } from "../src/index.ts";
import { newHost } from "./expiring-host.ts";
import { living, newWorld, plainProvider } from "./scripted-provider.ts";
import { simulatedClock } from "./simulated-clock.ts";

const SEEDS = 600;
const LAG_MS = 3000;
const LIFE_MS = 4000;

function randomFrom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

/** Returns how many answered. Three hosts launch one key; leases are lost at any time, requests take any time, answers are lost. */
async function play(seed: number): Promise<number> {
  const random = randomFrom(seed);
  const clock = simulatedClock();
  const world = newWorld(clock, LAG_MS, LIFE_MS);
  const shared = memoryStore();
  const answered: string[] = [];
  const named: string[] = [];
  const plain = plainProvider(world);
  const launchOnHost = async (): Promise<void> => {
    const host = newHost(shared);
    const spawn: Provider["spawn"] = async ({ signal: _signal, ...options }) => {
      await clock.sleep(random() * LIFE_MS * 3);
      const instance = await plain.spawn(options);
      await clock.sleep(random() * LIFE_MS);
      if (random() < 0.7) return instance;
      throw new ProviderError("NETWORK", {
        message: "cut",
        provider: "scripted",
        operation: "spawn",
        effect: "unknown",
      });
    };
    await clock.sleep(random() * 20_000);
    const losses = Array.from({ length: 2 }, async () => {
      await clock.sleep(random() * 20_000);
      await host.loseLeases(random() < 0.5);
    });
    try {
      const options = { store: host.store, clock, leaseTimeoutMs: 30_000 };
      answered.push((await launch({ ...plain, spawn }, { key: "k", spec: "s" }, options)).id);
    } catch (error) {
      if (!isStoreError(error) && !isProviderError(error)) throw error;
      named.push(error.message);
    }
    await Promise.all(losses);
  };
  await Promise.all([launchOnHost(), launchOnHost(), launchOnHost()]);
  await clock.sleep(LAG_MS);
  const ids = living(world, "k").map(({ id }) => id);
  const unnamed = ids.filter((id) => !named.some((message) => message.includes(id)));
  const what = `seed ${seed}: ${ids.join(", ")} live; answered ${answered.join(", ")}; ${named.join(" | ")}`;
  expect(unnamed.length, what).toBeLessThanOrEqual(1);
  expect(new Set(answered).size, what).toBeLessThanOrEqual(1);
  for (const id of answered) expect(ids, what).toContain(id);
  return answered.length;
}

test(`of ${SEEDS} keys whose leases are lost at any time each has one instance at the end, or an error names it`, async () => {
  let settled = 0;
  for (let seed = 1; seed <= SEEDS; seed += 1) settled += await play(seed);
  expect(settled).toBeGreaterThan(SEEDS);
});
