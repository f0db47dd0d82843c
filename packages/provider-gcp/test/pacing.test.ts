import { describe, expect, test } from "vitest";
import { failure, gcpWorld } from "./world.ts";

/** When each request left, in seconds after the first one. */
async function secondsOf(refusals: number, startAt = 0): Promise<readonly number[]> {
  const world = gcpWorld({ latencyMs: 0 });
  const { control, clock } = world.emulator;
  await clock.sleep(60_000 - (clock.now() % 60_000) + startAt);
  control.faults.add({ operation: "list", when: "before", row: "rate-limit", times: refusals });
  await world.provider.list().catch(() => undefined);
  const [first] = control.requests;
  return control.requests.map(({ at }) => Math.round((at - (first?.at ?? 0)) / 1_000));
}

describe("a refusal for the rate", () => {
  test("is answered by a second, then five, then the rest of Google's minute", async () => {
    expect(await secondsOf(1)).toEqual([0, 1]);
    expect(await secondsOf(3)).toEqual([0, 1, 6, 60]);
  });

  test("never waits beyond the next whole minute by much, and never less than a second", async () => {
    expect(await secondsOf(2, 59_500)).toEqual([0, 1, 6]);
    expect(await secondsOf(3, 50_000)).toEqual([0, 1, 6, 14]);
  });

  test("of many at once counts once", async () => {
    const world = gcpWorld({ latencyMs: 0 });
    const { control, clock } = world.emulator;
    await clock.sleep(60_000 - (clock.now() % 60_000));
    control.faults.add({ operation: "list", when: "before", row: "rate-limit", times: 10 });
    const began = clock.now();
    await Promise.all(Array.from({ length: 10 }, () => world.provider.list()));
    expect(clock.now() - began).toBeLessThan(2_000);
  });
});

describe("requestLifeMs", () => {
  test("is as long as an insert may take to show", async () => {
    const world = gcpWorld({ insertMs: 890_000, visibleMs: 890_000 });
    const stop = new AbortController();
    const lost = failure(world.provider.spawn({ key: "job", signal: stop.signal }));
    await world.emulator.clock.sleep(1_000);
    stop.abort();
    await lost;
    const { requestLifeMs, readAfterWriteMs } = world.provider.limits;
    await world.emulator.clock.sleep(requestLifeMs + readAfterWriteMs);
    expect(await world.another().list({ keys: ["job"] })).toHaveLength(1);
  });
});
