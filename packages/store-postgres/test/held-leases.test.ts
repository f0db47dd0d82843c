import { expect, test } from "vitest";
import { heldLeases } from "../src/held-leases.ts";

const LEASE_MS = 900;

/** A clock that is moved by hand, and sleeps that end with it. */
function handClock() {
  let at = 0;
  const sleepers = new Set<{ readonly until: number; readonly wake: () => void }>();
  return {
    now: () => at,
    sleep: (ms: number, signal: AbortSignal) =>
      new Promise<void>((resolve) => {
        const one = { until: at + ms, wake: resolve };
        sleepers.add(one);
        signal.addEventListener("abort", () => {
          sleepers.delete(one);
          resolve();
        });
      }),
    pass: async (ms: number, step = 5) => {
      for (const end = at + ms; at < end; ) {
        at = Math.min(at + step, end);
        for (const one of [...sleepers]) {
          if (one.until > at) continue;
          sleepers.delete(one);
          one.wake();
        }
        for (let turns = 0; turns < 8; turns += 1) await Promise.resolve();
      }
    },
    /** As a process that was stopped: time has passed, and no timer has run. */
    jump: (ms: number) => {
      at += ms;
    },
    sleeping: () => sleepers.size,
  };
}

test("a lease is renewed three times before its end, counted from before each request, and one request is for all", async () => {
  const clock = handClock();
  const asked: (readonly string[])[] = [];
  const held = heldLeases({
    ...clock,
    leaseMs: LEASE_MS,
    renew: async (leases) => {
      asked.push([...leases.keys()]);
      return new Set(leases.keys());
    },
  });
  const a = held.add("a", "1", clock.now());
  const b = held.add("b", "2", clock.now());
  await clock.pass(10 * LEASE_MS);
  expect(asked.length).toBeGreaterThanOrEqual(25);
  expect(new Set(asked.map(String))).toEqual(new Set(["a,b"]));
  expect([a.held(), b.held()]).toEqual([true, true]);
  held.drop("a", "1", "released");
  held.drop("b", "2", "released");
  expect([a.held(), a.signal.aborted]).toEqual([false, false]);
  expect(clock.sleeping()).toBe(0);
});

test("where renewals fail it is lost a tenth before its end, its signal says so, and it never comes back", async () => {
  const clock = handClock();
  let isCut = true;
  const held = heldLeases({
    ...clock,
    leaseMs: LEASE_MS,
    renew: async (leases) => {
      if (isCut) throw new Error("cut off");
      return new Set(leases.keys());
    },
  });
  const lease = held.add("a", "1", clock.now());
  await clock.pass(0.85 * LEASE_MS);
  expect([lease.held(), lease.signal.aborted]).toEqual([true, false]);
  await clock.pass(0.06 * LEASE_MS);
  expect([lease.held(), lease.signal.aborted]).toEqual([false, true]);
  isCut = false;
  await clock.pass(5 * LEASE_MS);
  expect([lease.held(), held.tokenOf("a")]).toEqual([false, undefined]);
});

test("after a pause past its end it is not held, before any timer has run, and a renewal that was under way is no help", async () => {
  const clock = handClock();
  let answer = (_kept: ReadonlySet<string>): void => undefined;
  const held = heldLeases({
    ...clock,
    leaseMs: LEASE_MS,
    renew: () =>
      new Promise((resolve) => {
        answer = resolve;
      }),
  });
  const lease = held.add("a", "1", clock.now());
  await clock.pass(0.5 * LEASE_MS);
  clock.jump(2 * LEASE_MS);
  expect(lease.held()).toBe(false);
  answer(new Set(["a"]));
  await clock.pass(5);
  expect([lease.held(), lease.signal.aborted]).toEqual([false, true]);
});

test("a lease that the database does not know any more is lost at once, and others are kept", async () => {
  const clock = handClock();
  const held = heldLeases({ ...clock, leaseMs: LEASE_MS, renew: async () => new Set(["b"]) });
  const a = held.add("a", "1", clock.now());
  const b = held.add("b", "2", clock.now());
  await clock.pass(0.5 * LEASE_MS);
  expect([a.held(), a.signal.aborted, b.held()]).toEqual([false, true, true]);
  held.close();
  expect([b.held(), b.signal.aborted, clock.sleeping()]).toEqual([false, true, 0]);
});
