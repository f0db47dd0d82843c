import { expect, test } from "vitest";
import { type CloudCounts, playClouds } from "../src/anywhere-clouds.ts";

// `npm run soak:tests` plays 1,000 of them.
const SEEDS = Number(process.env["SLIPWAY_ANYWHERE_RUNS"] ?? 14);
const FIRST_SEED = Number(process.env["SLIPWAY_FIRST_SEED"] ?? 1);

test(
  "over three emulated clouds: one instance per key, at the lowest price that its attempt read",
  async () => {
    const all: CloudCounts[] = [];
    for (let seed = FIRST_SEED; seed < FIRST_SEED + SEEDS; seed += 1) all.push(await playClouds(seed));
    const total = (name: keyof CloudCounts): number => all.reduce((sum, counts) => sum + counts[name], 0);
    // The histories do have them, or nothing was shown.
    for (const name of ["launched", "failedOver", "killed"] as const)
      expect({ name, total: total(name) > 0 }).toEqual({ name, total: true });
  },
  60_000 + SEEDS * 20_000,
);
