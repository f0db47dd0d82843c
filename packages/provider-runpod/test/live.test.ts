import { afterAll, describe, expect, test } from "vitest";
import { type RunpodProvider, runpod } from "../src/index.ts";

// Against RunPod itself, and at the caller's cost: only with SLIPWAY_LIVE_RUNPOD=1 and a key. It makes one small CPU pod
// of at most SLIPWAY_LIVE_MAX_USD an hour, and ends all that bears its owner.
const { SLIPWAY_LIVE_RUNPOD, RUNPOD_API_KEY = "", SLIPWAY_LIVE_MAX_USD = "0.2" } = process.env;
const isLive = SLIPWAY_LIVE_RUNPOD === "1" && RUNPOD_API_KEY !== "";
const OWNER = "slipway-live-test";
const HALF_AN_HOUR_MS = 1_800_000;

async function sweep(provider: RunpodProvider): Promise<void> {
  // Also what an earlier run has left.
  for (const { id } of await provider.list()) await provider.terminate(id);
}

test.runIf(SLIPWAY_LIVE_RUNPOD === "1")("the environment holds a key", () => {
  expect(RUNPOD_API_KEY, "set RUNPOD_API_KEY").not.toBe("");
});

describe.skipIf(!isLive)("RunPod itself", () => {
  const made = isLive ? runpod({ apiKey: RUNPOD_API_KEY, owner: OWNER }) : undefined;
  afterAll(async () => {
    if (made !== undefined) await sweep(made);
  }, HALF_AN_HOUR_MS);

  test(
    "a pod is made, found by its key, and ended",
    async () => {
      if (made === undefined) throw new Error("no key");
      await sweep(made);
      const options = {
        key: `live-${Date.now()}`,
        resources: { cpus: 2 },
        image: "ubuntu:24.04",
        maxUsdPerHour: Number(SLIPWAY_LIVE_MAX_USD),
        labels: { purpose: "slipway-live-test" },
        expiresAt: new Date(Date.now() + HALF_AN_HOUR_MS).toISOString(),
        bootstrap: { script: "exit 0" },
      } as const;
      const spawned = await made.spawn(options);
      try {
        expect(spawned).toMatchObject({ owner: OWNER, key: options.key, labels: options.labels });
        expect((await made.spawn(options)).id).toBe(spawned.id);
        expect((await made.list({ keys: [options.key] })).map(({ id }) => id)).toEqual([spawned.id]);
      } finally {
        await made.terminate(spawned.id);
      }
      expect(["terminating", "terminated", undefined]).toContain((await made.get(spawned.id))?.status);
    },
    HALF_AN_HOUR_MS,
  );
});
