import { afterAll, describe, expect, test } from "vitest";
import { lambda } from "../src/index.ts";

// Against the real Lambda, and at the caller's cost: only with SLIPWAY_LIVE_LAMBDA=1, a key, and the name of an SSH key of
// the account. It starts one machine of at most SLIPWAY_LIVE_MAX_USD an hour, and ends all that it has tagged.
const { SLIPWAY_LIVE_LAMBDA, LAMBDA_API_KEY = "", SLIPWAY_LIVE_SSH_KEY_NAME, SLIPWAY_LIVE_MAX_USD } = process.env;
const isLive = SLIPWAY_LIVE_LAMBDA === "1" && LAMBDA_API_KEY !== "" && SLIPWAY_LIVE_SSH_KEY_NAME !== undefined;
const MAX_USD_PER_HOUR = Number(SLIPWAY_LIVE_MAX_USD ?? "1");
const OWNER = "slipway-live-test";
const HALF_AN_HOUR_MS = 1_800_000;

test.runIf(SLIPWAY_LIVE_LAMBDA === "1")("the environment holds a key, and the name of an SSH key", () => {
  expect(LAMBDA_API_KEY, "set LAMBDA_API_KEY").not.toBe("");
  expect(SLIPWAY_LIVE_SSH_KEY_NAME ?? "", "set SLIPWAY_LIVE_SSH_KEY_NAME").not.toBe("");
});

describe.skipIf(!isLive)("Lambda itself", () => {
  const provider = isLive
    ? lambda({ apiKey: LAMBDA_API_KEY, owner: OWNER, sshKeyName: SLIPWAY_LIVE_SSH_KEY_NAME })
    : undefined;

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
      const options = {
        key: "live",
        resources: { cpus: 1 },
        maxUsdPerHour: MAX_USD_PER_HOUR,
        labels: { purpose: "slipway-live-test" },
        expiresAt: new Date(Date.now() + HALF_AN_HOUR_MS).toISOString(),
        bootstrap: { script: "exit 0" },
      } as const;
      const spawned = await provider.spawn(options);
      try {
        expect(spawned).toMatchObject({ owner: OWNER, key: "live", labels: { purpose: "slipway-live-test" } });
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
