import { afterAll, describe, expect, test } from "vitest";
import { aws } from "../src/index.ts";

// Against the real EC2, and at the caller's cost: only with SLIPWAY_LIVE_AWS=1 and credentials that the SDK finds. It starts
// one machine of the smallest type in AWS_REGION, and ends all that it has tagged.
const { SLIPWAY_LIVE_AWS, AWS_REGION = "us-east-1" } = process.env;
const isLive = SLIPWAY_LIVE_AWS === "1";
const OWNER = "slipway-live-test";
const HALF_AN_HOUR_MS = 1_800_000;

describe.skipIf(!isLive)("EC2 itself", () => {
  const provider = aws({ owner: OWNER, regions: [AWS_REGION] });

  /** Also what an earlier run has left. */
  const sweep = async (): Promise<void> => {
    for (const { id } of await provider.list()) await provider.terminate(id);
  };
  afterAll(sweep, HALF_AN_HOUR_MS);

  test(
    "a machine is launched, found by its key, and ended",
    async () => {
      await sweep();
      const options = {
        key: "live",
        spec: "t3.nano",
        maxUsdPerHour: 0.02,
        labels: { purpose: "slipway-live-test" },
        expiresAt: new Date(Math.floor(Date.now() / HALF_AN_HOUR_MS + 2) * HALF_AN_HOUR_MS).toISOString(),
        bootstrap: { script: "exit 0" },
      } as const;
      const spawned = await provider.spawn(options);
      try {
        expect(spawned).toMatchObject({ owner: OWNER, key: "live", labels: { purpose: "slipway-live-test" } });
        expect((await provider.spawn(options)).id).toBe(spawned.id);
        expect((await provider.get(spawned.id))?.id).toBe(spawned.id);
      } finally {
        await provider.terminate(spawned.id);
      }
      const after = await provider.get(spawned.id);
      expect(["terminating", "terminated", undefined]).toContain(after?.status);
    },
    HALF_AN_HOUR_MS,
  );
});
