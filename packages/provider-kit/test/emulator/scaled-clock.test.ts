import type { Clock } from "@slipway/core";
import { scaledClock, simulatedClock } from "@slipway/provider-kit/emulator";
import { expect, test } from "vitest";

test("runs as many times faster as it says", async () => {
  const base = simulatedClock();
  const begun = base.now();
  const clock = scaledClock(60, { base });
  await clock.sleep(60_000);
  expect(base.now() - begun).toBe(1_000);
  expect(clock.now() - begun).toBe(60_000);
});

test("clocks of one origin tell the same time, whenever they were made", async () => {
  const base = simulatedClock();
  const origin = base.now();
  const first = scaledClock(10, { base, origin });
  await base.sleep(500);
  const second = scaledClock(10, { base, origin });
  expect(second.now()).toBe(first.now());
  expect(second.now()).toBe(origin + 5_000);
});

test("sleeps longer than a timer can hold", async () => {
  const parts: number[] = [];
  const base: Clock = { now: () => 0, sleep: async (ms) => void parts.push(ms) };
  const year = 365 * 86_400_000;
  await scaledClock(1, { base }).sleep(year);
  expect(parts.reduce((sum, part) => sum + part, 0)).toBe(year);
  expect(Math.max(...parts)).toBeLessThan(2 ** 31);
});

test("an abort ends the sleep", async () => {
  const clock = scaledClock(2, { base: simulatedClock({ auto: false }) });
  const controller = new AbortController();
  const sleeping = clock.sleep(1_000, controller.signal);
  controller.abort(new Error("enough"));
  await expect(sleeping).rejects.toThrow("enough");
});

test.each([0, -1, Number.NaN, Number.POSITIVE_INFINITY])("a speed of %d is refused", (speed) => {
  expect(() => scaledClock(speed)).toThrow(TypeError);
});
