import type { RuntimeEvent } from "@slipway/core";
import { describe, expect, it } from "vitest";
import { limits } from "../../src/limits/index.ts";
import { launch, list, watch } from "./calls.ts";
import { simulatedClock } from "./simulated-clock.ts";

describe("one bucket", () => {
  it("lets a burst go at once and then one by one, to the millisecond", async () => {
    const clock = simulatedClock();
    const { went, call } = watch(
      clock,
      limits({ clock, buckets: [{ operation: "*", capacity: 3, refillPerSecond: 1 / 12 }] }),
    );
    for (let at = 0; at < 6; at += 1) call(launch, `${at}`);
    await clock.advance(60_000);
    expect(went).toEqual([
      ["0", 0],
      ["1", 0],
      ["2", 0],
      ["3", 12_000],
      ["4", 24_000],
      ["5", 36_000],
    ]);
  });

  it("loses nothing by rounding over a long time", async () => {
    const clock = simulatedClock();
    const { went, call } = watch(
      clock,
      limits({ clock, buckets: [{ operation: "*", capacity: 2, refillPerSecond: 3 }] }),
    );
    for (let at = 0; at < 3002; at += 1) call(list);
    await clock.advance(1_000_000);
    expect(went.at(-1)?.[1]).toBe(1_000_000);
    expect(went[2]?.[1]).toBe(334);
  });

  it("serves those who wait in the order in which they came, whatever they cost", async () => {
    const clock = simulatedClock();
    const { went, call } = watch(
      clock,
      limits({ clock, buckets: [{ operation: "*", capacity: 4, refillPerSecond: 1 }] }),
    );
    call(list, "all", 4);
    call(list, "big", 3);
    call(list, "small", 1);
    await clock.advance(10_000);
    expect(went).toEqual([
      ["all", 0],
      ["big", 3000],
      ["small", 4000],
    ]);
  });

  it("refuses a cost that never fits", async () => {
    const pacing = limits({
      clock: simulatedClock(),
      buckets: [{ operation: "list", capacity: 4, refillPerSecond: 1 }],
    });
    await expect(pacing.acquire(list, { cost: 5 })).rejects.toThrow("list at a cost of 5 never fits a bucket of 4");
    await expect(pacing.acquire(list, { cost: Number.NaN })).rejects.toThrow(RangeError);
    await expect(pacing.acquire(list, { cost: 0 })).rejects.toThrow(RangeError);
    await pacing.acquire(list, { cost: 4 });
  });

  it.each([
    [0, 1],
    [0.5, 1],
    [1, 0],
    [1, -1],
    [Number.NaN, 1],
    [1, Number.POSITIVE_INFINITY],
  ])("refuses a capacity of %s with %s a second", (capacity, refillPerSecond) => {
    expect(() => limits({ buckets: [{ operation: ["a", "b"], capacity, refillPerSecond }] })).toThrow(
      "the bucket a, b",
    );
  });
});

describe("several buckets", () => {
  const buckets = [
    { operation: "*", capacity: 1, refillPerSecond: 1 },
    { operation: "launch", capacity: 1, refillPerSecond: 1 / 12 },
  ];

  it("draws from all that match, and a launch that waits for its own does not hold up the rest", async () => {
    const clock = simulatedClock();
    const { went, call } = watch(clock, limits({ clock, buckets }));
    call(launch, "first launch");
    call(launch, "second launch");
    for (let at = 1; at <= 14; at += 1) call(list, `list ${at}`);
    await clock.advance(60_000);
    expect(went.slice(0, 2)).toEqual([
      ["first launch", 0],
      ["list 1", 1000],
    ]);
    // At twelve seconds its own bucket is ready: it came before the list that waits too.
    expect(went.slice(11, 14)).toEqual([
      ["list 11", 11_000],
      ["second launch", 12_000],
      ["list 12", 13_000],
    ]);
  });

  it("gives each account its own budget, or all of them one", async () => {
    for (const [share, last] of [
      ["account", 0],
      ["everyone", 2000],
    ] as const) {
      const clock = simulatedClock();
      const pacing = limits({ clock, share, buckets: [{ operation: "*", capacity: 1, refillPerSecond: 1 }] });
      const { went, call } = watch(clock, pacing);
      for (const account of ["a", "b", "c"]) call({ account, operation: "list" });
      await clock.advance(10_000);
      expect(went.at(-1)?.[1]).toBe(last);
    }
  });

  it("does not hold back what no bucket matches", async () => {
    const clock = simulatedClock();
    const { went, call } = watch(
      clock,
      limits({ clock, buckets: [{ operation: "launch", capacity: 1, refillPerSecond: 1 }] }),
    );
    for (let at = 0; at < 5; at += 1) call(list);
    await clock.advance(0);
    expect(went.map(([, ms]) => ms)).toEqual([0, 0, 0, 0, 0]);
  });

  it.each([
    ["*", ["", "list", "a*b"], []],
    ["Describe*", ["Describe", "DescribeInstances"], ["describe", "xDescribe"]],
    ["*Instances", ["RunInstances", "Instances"], ["RunInstances2"]],
    ["a*b*c", ["abc", "aXbXc", "abbc"], ["ab", "acb", "bc"]],
    ["aa*aa", ["aaaa", "aaXaa"], ["aaa", "aa"]],
    ["get.", ["get."], ["getx", "get"]],
  ])("takes the pattern %s", async (operation, matching, others) => {
    for (const [names, waits] of [
      [matching, true],
      [others, false],
    ] as const) {
      for (const name of names) {
        const clock = simulatedClock();
        const { went, call } = watch(
          clock,
          limits({ clock, buckets: [{ operation, capacity: 1, refillPerSecond: 1 }] }),
        );
        call({ account: "a", operation: name });
        call({ account: "a", operation: name });
        await clock.advance(0);
        expect([name, went.length]).toEqual([name, waits ? 1 : 2]);
      }
    }
  });
});

describe("the clock", () => {
  it("may be set back or forth without stopping anyone", async () => {
    const clock = simulatedClock();
    const pacing = limits({ clock, buckets: [{ operation: "*", capacity: 1, refillPerSecond: 1 }] });
    await pacing.acquire(list);
    let gone = false;
    void pacing.acquire(list).then(() => {
      gone = true;
    });
    clock.set(-3_600_000);
    await clock.advance(5000);
    expect(gone).toBe(true);
  });

  it("may be asked to wait for longer than a timer holds", async () => {
    const clock = simulatedClock();
    const pacing = limits({ clock, buckets: [] });
    const { went, call } = watch(clock, pacing);
    const month = 31 * 24 * 3_600_000;
    pacing.defer(list, month);
    call(list);
    await clock.advance(month);
    expect(went).toEqual([["list", month]]);
  });
});

describe("events", () => {
  it("tell who waits, how long and why", async () => {
    const clock = simulatedClock();
    const events: RuntimeEvent[] = [];
    const pacing = limits({
      clock,
      provider: "tester",
      onEvent: (event) => events.push(event),
      buckets: [{ operation: "*", capacity: 1, refillPerSecond: 0.1 }],
    });
    const at = new Date(clock.now()).toISOString();
    for (let call = 0; call < 3; call += 1) void pacing.acquire(list);
    expect(events).toEqual([
      { type: "wait", at, provider: "tester", reason: "pacing", operation: "list", ms: 10_000 },
      { type: "wait", at, provider: "tester", reason: "pacing", operation: "list", ms: 20_000 },
    ]);
    events.length = 0;
    pacing.defer(launch, 60_000);
    expect(events.map((event) => event.type === "wait" && [event.reason, event.ms])).toEqual([
      ["retry-after", 60_000],
      ["retry-after", 60_000],
    ]);
  });

  it("cannot break a call by a listener that throws", async () => {
    const clock = simulatedClock();
    const pacing = limits({
      clock,
      onEvent: () => {
        throw new Error("bad listener");
      },
      buckets: [{ operation: "*", capacity: 1, refillPerSecond: 1 }],
    });
    const { went, call } = watch(clock, pacing);
    call(list);
    call(list);
    await clock.advance(1000);
    expect(went).toHaveLength(2);
  });
});
