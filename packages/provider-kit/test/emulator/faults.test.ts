import { faultScript, seededRandom } from "@slipway/provider-kit/emulator";
import { describe, expect, test } from "vitest";

describe("a fault script", () => {
  test("gives each fault as often as it says, to its own operation and timing", () => {
    const script = faultScript();
    script.add(
      { operation: "spawn", when: "before", code: "QUOTA_EXCEEDED", times: 2 },
      { operation: "*", when: "delayed" },
    );
    expect(script.take("list", "before")).toBeUndefined();
    expect(script.take("spawn", "after")).toBeUndefined();
    expect(script.take("spawn", "before")?.code).toBe("QUOTA_EXCEEDED");
    expect(script.take("spawn")?.code).toBe("QUOTA_EXCEEDED");
    expect(script.take("spawn")?.when).toBe("delayed");
    expect(script.take("spawn")).toBeUndefined();
    expect(script.placed.map(({ operation, when }) => `${operation} ${when}`)).toEqual([
      "spawn before",
      "spawn before",
      "spawn delayed",
    ]);
  });

  test("knows a call by any of its names, and notes the first", () => {
    const script = faultScript();
    script.add({ operation: "machines.create", when: "before" });
    expect(script.take(["spawn", "machines.create"])).toBeDefined();
    expect(script.placed[0]?.operation).toBe("spawn");
  });

  test("a fault that chance spares does not shield the next one", () => {
    const script = faultScript();
    script.add({ operation: "spawn", when: "before", probability: 0 }, { operation: "spawn", when: "after" });
    expect(script.take("spawn")?.when).toBe("after");
  });

  test("clear takes what waits, and keeps what was placed", () => {
    const script = faultScript();
    script.add({ operation: "*", when: "before", times: 5 });
    script.take("get");
    script.clear();
    expect(script.take("get")).toBeUndefined();
    expect(script.placed).toHaveLength(1);
  });

  test("the same seed places the same faults", () => {
    const run = (seed: number): string => {
      const script = faultScript(seed);
      script.add({ operation: "*", when: "before", probability: 0.5, times: 1_000 });
      return Array.from({ length: 64 }, () => (script.take("get") === undefined ? "." : "x")).join("");
    };
    expect(run(7)).toBe(run(7));
    expect(run(7)).not.toBe(run(8));
    const hits = run(7).replaceAll(".", "").length;
    expect(hits).toBeGreaterThan(16);
    expect(hits).toBeLessThan(48);
  });
});

describe("the seeded random source", () => {
  test("gives the numbers of its seed on every machine", () => {
    const random = seededRandom(42);
    // Mulberry32 as others implement it gives these for 42.
    expect([random.next(), random.next(), random.next()].map((value) => value.toFixed(6))).toEqual([
      "0.601104",
      "0.448291",
      "0.852466",
    ]);
  });

  test("whole numbers are even, and below the bound", () => {
    const random = seededRandom(3);
    const counts = Array.from({ length: 6 }, () => 0);
    for (let i = 0; i < 6_000; i += 1) {
      const face = random.whole(6);
      counts[face] = (counts[face] ?? 0) + 1;
    }
    expect(counts).toHaveLength(6);
    for (const count of counts) expect(Math.abs(count - 1_000)).toBeLessThan(150);
  });
});
