import { afterAll, describe, expect, test } from "vitest";
import { __name__ } from "../src/index.ts";

// Against the remote itself, and at the caller's cost: only with SLIPWAY_LIVE___NAME_ENV__=1. It starts one machine, and
// ends all that bears its owner.
// #if http
const { SLIPWAY_LIVE___NAME_ENV__, __NAME_ENV___API_KEY = "" } = process.env;
const isLive = SLIPWAY_LIVE___NAME_ENV__ === "1" && __NAME_ENV___API_KEY !== "";
const make = () => __name__({ apiKey: __NAME_ENV___API_KEY, owner: OWNER });
// #end
// #if cli
const isLive = process.env["SLIPWAY_LIVE___NAME_ENV__"] === "1";
const make = () => __name__({ owner: OWNER });
// #end
const OWNER = "slipway-live-test";
const HALF_AN_HOUR_MS = 1_800_000;

describe.skipIf(!isLive)("__NAME__ itself", () => {
  const sweep = async (): Promise<void> => {
    const provider = make();
    for (const { id } of await provider.list()) await provider.terminate(id);
  };
  afterAll(sweep, HALF_AN_HOUR_MS);

  test(
    "a machine is launched, found by its key, and ended",
    async () => {
      await sweep();
      const provider = make();
      const options = { key: "live", labels: { purpose: "slipway-live-test" } };
      const { id } = await provider.spawn(options);
      expect((await provider.spawn(options)).id).toBe(id);
      expect((await provider.list({ keys: ["live"] })).map((one) => one.id)).toEqual([id]);
      await provider.terminate(id);
      expect(["terminating", "terminated", undefined]).toContain((await provider.get(id))?.status);
    },
    HALF_AN_HOUR_MS,
  );
});
