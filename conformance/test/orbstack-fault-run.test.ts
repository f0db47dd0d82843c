import { expect, test } from "vitest";
import { runWithFaults } from "../soak/orbstack-fault-run.ts";
import { inProcess } from "../soak/orbstack-worlds.ts";

const OPERATIONS = 50;
// `npm run soak:orbstack` has hundreds, and the gate sixty.
const seeds = Number(process.env["SLIPWAY_FAULT_SEEDS"] ?? "1");

test.each(Array.from({ length: seeds }, (_, at) => at + 1))(
  "a control plane on OrbStack in a fault run, seed %i: none twice, none lost, every effect true, and nothing left",
  async (seed) => {
    const { wrong, calls, placed } = await runWithFaults(inProcess(seed), seed, OPERATIONS);
    expect(wrong).toEqual([]);
    expect(calls).toBeGreaterThanOrEqual(OPERATIONS * 0.9);
    expect(placed.size).toBeGreaterThan(5);
  },
  120_000,
);

test("the same seed is the same fault run", async () => {
  const [one, two] = [
    await runWithFaults(inProcess(3), 3, OPERATIONS),
    await runWithFaults(inProcess(3), 3, OPERATIONS),
  ];
  expect({ ...two, placed: [...two.placed] }).toEqual({ ...one, placed: [...one.placed] });
}, 300_000);
