import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { type Clock, deadline, systemClock, timestamp } from "../src/index.ts";
import { rejection } from "./subject.ts";

/** A clock whose sleepers are woken by hand. */
function handClock() {
  const sleeps: { readonly ms: number; readonly wake: () => void; ended: boolean }[] = [];
  const clock: Clock = {
    now: () => 0,
    sleep: (ms, signal) =>
      new Promise((resolve, reject) => {
        const sleep = { ms, wake: resolve, ended: false };
        sleeps.push(sleep);
        signal?.addEventListener("abort", () => {
          sleep.ended = true;
          reject(new Error("ended"));
        });
      }),
  };
  return { clock, sleeps };
}
const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe("deadline", () => {
  it("ends with a TimeoutError when the clock says so", async () => {
    const { clock, sleeps } = handClock();
    const { signal } = deadline(clock, 250);
    expect(sleeps.map(({ ms }) => ms)).toEqual([250]);
    expect(signal.aborted).toBe(false);
    sleeps[0]?.wake();
    await settled();
    expect(signal.reason).toMatchObject({ name: "TimeoutError", message: expect.stringContaining("250") });
  });

  it("ends with the caller's reason when the caller aborts", () => {
    const { clock } = handClock();
    const caller = new AbortController();
    const { signal } = deadline(clock, 250, caller.signal);
    caller.abort("enough");
    expect(signal.reason).toBe("enough");
  });

  it("has ended already where the caller's signal has, and asks for no timer", () => {
    const { clock, sleeps } = handClock();
    const { signal } = deadline(clock, 250, AbortSignal.abort("before"));
    expect(signal.reason).toBe("before");
    expect(sleeps).toEqual([]);
  });

  it("lets go of the clock and of the caller's signal when released", async () => {
    const { clock, sleeps } = handClock();
    const caller = new AbortController();
    const { signal, release } = deadline(clock, 250, caller.signal);
    release();
    await settled();
    expect(sleeps[0]?.ended).toBe(true);
    caller.abort();
    expect(signal.aborted).toBe(false);
  });

  it("asks for no timer without a limit", () => {
    const { clock, sleeps } = handClock();
    deadline(clock, undefined).release();
    expect(sleeps).toEqual([]);
  });
});

describe("systemClock", () => {
  beforeEach(() => vi.useFakeTimers({ now: Date.parse("2026-01-31T12:00:00Z") }));
  afterEach(() => vi.useRealTimers());

  it("tells the time", () => {
    expect(timestamp(systemClock)).toBe("2026-01-31T12:00:00.000Z");
  });

  it("sleeps so long", async () => {
    let awake = false;
    const sleep = systemClock.sleep(1000).then(() => {
      awake = true;
    });
    await vi.advanceTimersByTimeAsync(999);
    expect(awake).toBe(false);
    await vi.advanceTimersByTimeAsync(1);
    expect(awake).toBe(true);
    await sleep;
    expect(vi.getTimerCount()).toBe(0);
  });

  it("sleeps longer than the longest timer, which would fire at once", async () => {
    const month = 31 * 24 * 3600 * 1000;
    let awake = false;
    const sleep = systemClock.sleep(month).then(() => {
      awake = true;
    });
    await vi.advanceTimersByTimeAsync(month - 1);
    expect(awake).toBe(false);
    await vi.advanceTimersByTimeAsync(1);
    expect(awake).toBe(true);
    await sleep;
  });

  it("rejects with the signal's reason, at once and later, and leaves no timer", async () => {
    const reason = new Error("enough");
    expect(await rejection(systemClock.sleep(1000, AbortSignal.abort(reason)))).toBe(reason);
    const caller = new AbortController();
    const sleep = rejection(systemClock.sleep(1000, caller.signal));
    caller.abort(reason);
    expect(await sleep).toBe(reason);
    expect(vi.getTimerCount()).toBe(0);
  });

  it("rejects with an AbortError where the reason is no error", async () => {
    expect(await rejection(systemClock.sleep(1000, AbortSignal.abort("enough")))).toMatchObject({ name: "AbortError" });
  });

  it("leaves no listener on a signal that never aborts", async () => {
    const { signal } = new AbortController();
    const removed = vi.spyOn(signal, "removeEventListener");
    const sleep = systemClock.sleep(5, signal);
    await vi.advanceTimersByTimeAsync(5);
    await sleep;
    expect(removed).toHaveBeenCalledOnce();
  });
});
