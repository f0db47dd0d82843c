import type { Instance } from "@slipway/core";
import { describe, expect, test } from "vitest";
import { isOneOf, matcherOf } from "../../src/filters/index.ts";

const instanceOf = (index: number, more: Partial<Instance> = {}): Instance => ({
  ...{ id: `r/m-${index}`, nativeId: `m-${index}`, status: "running", provider: "p", owner: "o", key: `k-${index}` },
  ...{ addresses: {}, isSpot: false, labels: { team: "x" }, createdAt: null },
  ...more,
});

/** An array that counts how often one of its elements is read. */
function counted<T>(values: readonly T[]): { readonly values: readonly T[]; readonly reads: () => number } {
  let reads = 0;
  const get = (target: readonly T[], name: string | symbol, receiver: unknown): unknown => {
    if (typeof name === "string" && /^\d+$/.test(name)) reads += 1;
    return Reflect.get(target, name, receiver);
  };
  return { values: new Proxy(values, { get }), reads: () => reads };
}

describe("a list filter", () => {
  test("reads each id and key once, however many instances there are", () => {
    const instances = Array.from({ length: 300 }, (_value, index) => instanceOf(index));
    const ids = counted(instances.map(({ id }) => id).reverse());
    const keys = counted(instances.map(({ key }) => key ?? "").reverse());
    const matches = matcherOf({ ids: ids.values, keys: keys.values });
    expect(instances.filter(matches)).toHaveLength(300);
    expect([ids.reads(), keys.reads()]).toEqual([300, 300]);
  });

  test.each([
    ["an id", { ids: ["r/m-1"] }, true],
    ["a native id", { ids: ["x", "m-1"] }, true],
    ["another id", { ids: ["m-2"] }, false],
    ["no id at all", { ids: [] }, false],
    ["a key", { keys: ["k-1"] }, true],
    ["another key", { keys: ["k-2"] }, false],
    ["its label", { labels: { team: "x" } }, true],
    ["another label", { labels: { team: "y" } }, false],
    ["an inherited name as a label", { labels: { toString: "x" } }, false],
    ["its status", { status: ["running"] as const }, true],
    ["another status", { status: ["stopped"] as const }, false],
    ["another region", { region: "r" }, false],
    ["nothing", {}, true],
  ])("by %s", (_name, filter, expected) => {
    expect(matcherOf(filter)(instanceOf(1))).toBe(expected);
  });

  test("leaves out what has terminated, unless that is asked for", () => {
    const ended = instanceOf(1, { status: "terminated" });
    expect(matcherOf({})(ended)).toBe(false);
    expect(matcherOf({ status: ["terminated"] })(ended)).toBe(true);
  });

  test("a key that is not known is none of those asked for", () => {
    expect(matcherOf({ keys: ["k"] })(instanceOf(1, { key: null }))).toBe(false);
    expect(isOneOf<string>(undefined)(null)).toBe(true);
  });
});
