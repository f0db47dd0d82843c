import { afterAll, describe, expect, test } from "vitest";
import { gcp } from "../src/index.ts";

// Against the real Compute Engine, and at the caller's cost: only with SLIPWAY_LIVE_GCP=1, a project, and Google's application
// default credentials. It starts one small spot machine of at most SLIPWAY_LIVE_MAX_USD an hour, and ends all that it has tagged;
// should it be killed, Google ends the machine after half an hour.
const { SLIPWAY_LIVE_GCP, GOOGLE_CLOUD_PROJECT = "", SLIPWAY_LIVE_MAX_USD } = process.env;
const isLive = SLIPWAY_LIVE_GCP === "1" && GOOGLE_CLOUD_PROJECT !== "";
const MAX_USD_PER_HOUR = Number(SLIPWAY_LIVE_MAX_USD ?? "0.05");
const OWNER = "slipway-live-test";
const HALF_AN_HOUR_MS = 1_800_000;

test.runIf(SLIPWAY_LIVE_GCP === "1")("the environment names a project", () => {
  expect(GOOGLE_CLOUD_PROJECT, "set GOOGLE_CLOUD_PROJECT").not.toBe("");
});

describe.skipIf(!isLive)("Compute Engine itself", () => {
  const provider = isLive ? gcp({ project: GOOGLE_CLOUD_PROJECT, owner: OWNER }) : undefined;

  /** Also what an earlier run has left. */
  const sweep = async (): Promise<void> => {
    for (const { id } of (await provider?.list()) ?? []) await provider?.terminate(id);
  };
  afterAll(sweep, HALF_AN_HOUR_MS);

  test(
    "a machine is launched, found by its key, and ended",
    async () => {
      if (provider === undefined) return;
      await sweep();
      const terminateBy = new Date(Date.now() + HALF_AN_HOUR_MS).toISOString();
      const options = {
        key: "live",
        spec: "e2-micro",
        spot: { maxUsdPerHour: MAX_USD_PER_HOUR },
        labels: { purpose: "slipway-live-test" },
        terminateBy,
        bootstrap: { script: "exit 0" },
      } as const;
      const spawned = await provider.spawn(options);
      try {
        expect(spawned).toMatchObject({ owner: OWNER, key: "live", labels: { purpose: "slipway-live-test" } });
        expect(spawned.terminateBy).toEqual({ at: terminateBy, by: "remote" });
        expect((await provider.spawn(options)).id).toBe(spawned.id);
        expect((await provider.list({ keys: ["live"] })).map(({ id }) => id)).toEqual([spawned.id]);
      } finally {
        await provider.terminate(spawned.id);
      }
      const after = await provider.get(spawned.id);
      expect(["terminating", "terminated", undefined]).toContain(after?.status);
    },
    HALF_AN_HOUR_MS,
  );
});
