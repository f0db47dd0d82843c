import { systemClock } from "@slipway/core";
import { describe, expect, test } from "vitest";
import { cheapestFirst, livePrice, withinPriceCap } from "../../src/driver/index.ts";
import { refusals } from "../../src/errors/index.ts";

const check = { refuse: refusals("example"), operation: "spawn", remote: "Example" };
const small = { spec: "small", usdPerHour: 0.1 };
const large = { spec: "large", usdPerHour: 4 };
const unpriced = { spec: "unpriced", usdPerHour: undefined };

test("no price above 0 is no price", () => {
  expect(livePrice(0.5, systemClock)).toMatchObject({ usdPerHour: 0.5, per: "instance", source: "live" });
  expect([livePrice(0, systemClock), livePrice(-1, systemClock), livePrice(undefined, systemClock)]).toEqual([
    undefined,
    undefined,
    undefined,
  ]);
});

test("offerings of one price go by their names, those without one stand last", () => {
  const offered = (spec: string, usd?: number) => {
    const price = livePrice(usd, systemClock);
    return { spec, ...(price === undefined ? {} : { price }) };
  };
  const sorted = cheapestFirst([offered("c"), offered("b", 1), offered("a", 1), offered("d", 0.5)]);
  expect(sorted.map(({ spec }) => spec)).toEqual(["d", "a", "b", "c"]);
});

describe("a cap", () => {
  test("lets through what costs as much or less, and without one everything", () => {
    expect(withinPriceCap([small, large, unpriced], undefined, check)).toEqual([small, large, unpriced]);
    expect(withinPriceCap([small, large, unpriced], 4, check)).toEqual([small, large]);
  });

  test("that nothing meets names the cheapest", () => {
    expect(() => withinPriceCap([large, unpriced], 1, check)).toThrow(
      "maxUsdPerHour is 1, and the cheapest that fits costs 4 US dollars an hour",
    );
  });

  test("is never met by what has no price", () => {
    expect(() => withinPriceCap([unpriced, unpriced], 1_000, check)).toThrow(
      "maxUsdPerHour is 1000, and Example does not tell the price of unpriced",
    );
  });
});
