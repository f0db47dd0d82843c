import { describe, expect, it } from "vitest";
import { limits } from "../../src/limits/index.ts";
import { launch, list, watch } from "./calls.ts";
import { simulatedClock } from "./simulated-clock.ts";

describe("giving up", () => {
  it("rejects with the signal's reason at once, and the place is free", async () => {
    const clock = simulatedClock();
    const pacing = limits({ clock, buckets: [{ operation: "*", capacity: 1, refillPerSecond: 1 }] });
    const { went, call } = watch(clock, pacing);
    call(list, "first");
    const controller = new AbortController();
    const given = pacing.acquire(list, { signal: controller.signal });
    call(list, "behind");
    await clock.advance(400);
    const reason = new Error("changed my mind");
    controller.abort(reason);
    await expect(given).rejects.toBe(reason);
    await clock.advance(5000);
    expect(went).toEqual([
      ["first", 0],
      ["behind", 1000],
    ]);
    expect(clock.sleepers()).toBe(0);
  });

  it("takes nothing for a signal that has aborted before, and keeps no timer when all have given up", async () => {
    const clock = simulatedClock();
    const pacing = limits({ clock, buckets: [{ operation: "*", capacity: 1, refillPerSecond: 1 }] });
    await expect(pacing.acquire(list, { signal: AbortSignal.abort() })).rejects.toThrow("aborted");
    await pacing.acquire(list);
    const controller = new AbortController();
    const both = [1, 2].map(() => pacing.acquire(list, { signal: controller.signal }));
    expect(clock.sleepers()).toBe(1);
    controller.abort();
    expect(clock.sleepers()).toBe(0);
    for (const one of both) await expect(one).rejects.toThrow("aborted");
  });

  it("changes nothing for a call that was let go already", async () => {
    const clock = simulatedClock();
    const pacing = limits({ clock, buckets: [{ operation: "*", capacity: 2, refillPerSecond: 1 }] });
    const controller = new AbortController();
    await pacing.acquire(list, { signal: controller.signal });
    controller.abort();
    const { went, call } = watch(clock, pacing);
    call(list);
    call(list);
    await clock.advance(5000);
    expect(went.map(([, ms]) => ms)).toEqual([0, 1000]);
  });
});

describe("defer", () => {
  it("halts everyone who shares a bucket, those who wait and those who come, and nobody else", async () => {
    const clock = simulatedClock();
    const pacing = limits({ clock, buckets: [{ operation: "*", capacity: 2, refillPerSecond: 1 }] });
    const { went, call } = watch(clock, pacing);
    for (let at = 0; at < 3; at += 1) call(list, `early ${at}`);
    await clock.advance(0);
    pacing.defer(launch, 30_000);
    call(list, "late");
    call({ account: "b", operation: "list" }, "other account");
    await clock.advance(60_000);
    expect(went).toEqual([
      ["early 0", 0],
      ["early 1", 0],
      ["other account", 0],
      ["early 2", 30_000],
      ["late", 30_000],
    ]);
  });

  it("halts an operation that has no bucket too", async () => {
    const clock = simulatedClock();
    const pacing = limits({ clock, buckets: [] });
    const { went, call } = watch(clock, pacing);
    pacing.defer(list, 5000);
    call(list);
    call(launch);
    await clock.advance(10_000);
    expect(went).toEqual([
      ["launch", 0],
      ["list", 5000],
    ]);
  });

  it("never shortens a halt, and ignores what is no time", async () => {
    const clock = simulatedClock();
    const pacing = limits({ clock, buckets: [{ operation: "*", capacity: 2, refillPerSecond: 1 }] });
    const { went, call } = watch(clock, pacing);
    pacing.defer(list, 5000);
    for (const nonsense of [1000, 0, -1, Number.NaN, Number.POSITIVE_INFINITY]) pacing.defer(list, nonsense);
    call(list);
    await clock.advance(10_000);
    expect(went).toEqual([["list", 5000]]);
  });
});
