import { simulatedClock } from "@slipway/provider-kit/emulator";
import { describe, expect, test } from "vitest";

describe("automatic time", () => {
  test("passes at once, in the order of those who wake", async () => {
    const clock = simulatedClock({ start: "2030-05-01T00:00:00Z" });
    const woke: string[] = [];
    const sleeper = async (name: string, ms: number): Promise<void> => {
      await clock.sleep(ms);
      woke.push(`${name} ${clock.now() - Date.parse("2030-05-01T00:00:00Z")}`);
    };
    await Promise.all([sleeper("late", 86_400_000), sleeper("early", 5), sleeper("early too", 5), sleeper("now", 0)]);
    expect(woke).toEqual(["now 0", "early 5", "early too 5", "late 86400000"]);
    expect(clock.sleepers).toBe(0);
  });

  test("stands still while it is held", async () => {
    const clock = simulatedClock();
    const begun = clock.now();
    const release = clock.hold();
    let woke = false;
    const sleeping = clock.sleep(10).then(() => {
      woke = true;
    });
    for (let i = 0; i < 5; i += 1) await new Promise((resolve) => setImmediate(resolve));
    expect({ woke, now: clock.now() }).toEqual({ woke: false, now: begun });
    release();
    release();
    await sleeping;
    expect(clock.now()).toBe(begun + 10);
  });

  test("an abort wakes with the signal's reason, before and during the sleep", async () => {
    const clock = simulatedClock();
    const begun = clock.now();
    const reason = new Error("enough");
    await expect(clock.sleep(10, AbortSignal.abort(reason))).rejects.toBe(reason);
    const controller = new AbortController();
    const sleeping = clock.sleep(Number.POSITIVE_INFINITY, controller.signal);
    controller.abort(reason);
    await expect(sleeping).rejects.toBe(reason);
    expect({ sleepers: clock.sleepers, now: clock.now() }).toEqual({ sleepers: 0, now: begun });
  });

  test("a sleep without end stops nobody else", async () => {
    const clock = simulatedClock();
    const controller = new AbortController();
    const forever = clock.sleep(Number.POSITIVE_INFINITY, controller.signal).catch(() => "aborted");
    const begun = clock.now();
    await clock.sleep(7);
    await clock.sleep(7);
    expect(clock.now()).toBe(begun + 14);
    controller.abort();
    expect(await forever).toBe("aborted");
  });
});

describe("advance", () => {
  test("wakes those whose time has come, and those whom they let sleep", async () => {
    const clock = simulatedClock({ auto: false });
    const begun = clock.now();
    const woke: number[] = [];
    const ticking = (async () => {
      for (let i = 0; i < 3; i += 1) {
        await clock.sleep(10);
        woke.push(clock.now() - begun);
      }
    })();
    await clock.advance(25);
    expect(woke).toEqual([10, 20]);
    expect(clock.now()).toBe(begun + 25);
    await clock.advance(5);
    await ticking;
    expect(woke).toEqual([10, 20, 30]);
  });

  test("on an automatic clock stops where it was told to, and time never goes back", async () => {
    const clock = simulatedClock();
    const begun = clock.now();
    let woke = false;
    const sleeping = clock.sleep(1_000).then(() => {
      woke = true;
    });
    await clock.advance(10);
    expect({ woke, now: clock.now() - begun }).toEqual({ woke: false, now: 10 });
    await clock.advance(-5);
    expect(clock.now()).toBeGreaterThanOrEqual(begun + 10);
    await sleeping;
    expect(clock.now()).toBe(begun + 1_000);
  });
});

test("what is no time is refused", async () => {
  expect(() => simulatedClock({ start: "yesterday" })).toThrow(TypeError);
  await expect(simulatedClock().sleep(Number.NaN)).rejects.toThrow(TypeError);
});
