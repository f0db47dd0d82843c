import { expect, test } from "vitest";
import { countsOfProvider } from "./thousand.ts";

// What the plain client needs for the same is counted beside the judges, in `plain.judge.ts`.
test("1 002 instances over 3 regions are listed by page, waited for by page, and ended by little more than a deletion each", async () => {
  const { list, wait, terminate } = await countsOfProvider();
  process.stdout.write(`list ${list}, wait ${wait}, terminate ${terminate} for 1002 instances\n`);
  expect([list, wait]).toEqual([3, 3]);
  expect(terminate).toBeLessThanOrEqual(1_060);
}, 300_000);
