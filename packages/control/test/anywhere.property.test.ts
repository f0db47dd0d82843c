import { expect, test } from "vitest";
import { playAnywhere } from "./anywhere-history.ts";

// `npm run soak:tests` plays 1,000 of them.
const RUNS = Number(process.env["SLIPWAY_ANYWHERE_RUNS"] ?? 120);

test(
  "any history over three clouds and two processes leaves one instance per key, at the lowest price that was read",
  async () => {
    const seen = { launched: 0, failedOver: 0, refused: 0, conflicts: 0, killed: 0 };
    for (let seed = 1; seed <= RUNS; seed += 1) {
      const counts = await playAnywhere(seed);
      for (const [name, count] of Object.entries(counts)) seen[name as keyof typeof seen] += count;
    }
    // Every kind of thing does happen, or nothing was shown.
    for (const [name, count] of Object.entries(seen)) expect(`${name} ${count > 20}`).toBe(`${name} true`);
  },
  60_000 + RUNS * 1000,
);
