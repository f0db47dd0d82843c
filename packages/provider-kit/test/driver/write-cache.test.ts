import { expect, test } from "vitest";
import { writeCache } from "../../src/driver/index.ts";
import { simulatedClock } from "../../src/emulator/index.ts";

const LAG_MS = 5_000;

test("what was written before a read counts for its answer, however late that comes", async () => {
  const clock = simulatedClock();
  const cache = writeCache<string>(clock, LAG_MS);
  cache.made("k", "1", "one");
  cache.ended("2");
  cache.unclear("l");
  const asOf = clock.now() + LAG_MS - 1;
  await clock.advance(300_000);
  expect([cache.ofKey("k", asOf)?.id, cache.ofId("1", asOf), cache.isEnded("2", asOf)]).toEqual(["1", "one", true]);
  expect(cache.unclearUntil("l", asOf)).toBe(asOf + 1);
  expect([cache.ofKey("k"), cache.ofId("1"), cache.isEnded("2"), cache.unclearUntil("l")]).toEqual([
    undefined,
    undefined,
    false,
    undefined,
  ]);
});
