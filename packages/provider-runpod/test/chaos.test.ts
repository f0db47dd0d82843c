import { isProviderError } from "@slipway/core";
import { expect, test } from "vitest";
import { GPU } from "./runpod-harness.ts";
import { testWorld } from "./world.ts";

const KEYS = Array.from({ length: 12 }, (_, at) => `key-${at}`);
const LAG_MS = 3_000;

/** Calls until it works: everything that fails here may pass. */
async function insist<T>(call: () => Promise<T>): Promise<T> {
  for (let tries = 0; ; tries += 1) {
    try {
      return await call();
    } catch (error) {
      if (!isProviderError(error) || tries > 60) throw error;
    }
  }
}

test.each([1, 2, 3, 4, 5])(
  "faults before and after the effect, seed %i: one pod for each key, and none is left",
  async (seed) => {
    const { provider, emulator, clock } = testWorld(
      { seed, listLagMs: LAG_MS, freshNotFoundMs: 1_000, pageSize: 5, latencyMs: 10 },
      { readAfterWriteMs: LAG_MS },
    );
    const often = { probability: 0.2, times: 10_000 };
    for (const operation of ["spawn", "terminate", "list", "get"]) {
      emulator.faults.add(
        { operation, when: "before", row: "server-error", ...often },
        { operation, when: "after", row: "server-error", ...often },
        { operation, when: "reply-lost", ...often },
      );
    }
    const made = await Promise.all(KEYS.map((key) => insist(() => provider.spawn({ key, spec: GPU }))));
    const live = () => emulator.pods().filter(({ deletedAt }) => deletedAt === null);
    expect(
      live()
        .map(({ id }) => id)
        .sort(),
    ).toEqual(made.map(({ id }) => id).sort());

    await clock.sleep(LAG_MS);
    expect((await insist(() => provider.list())).map(({ key }) => key).sort()).toEqual([...KEYS].sort());

    await Promise.all(made.map(({ id }) => insist(() => provider.terminate(id))));
    expect(live()).toEqual([]);
    expect(emulator.faults.placed.length).toBeGreaterThan(KEYS.length);
  },
);
