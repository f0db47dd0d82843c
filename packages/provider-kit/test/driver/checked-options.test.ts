import { expect, test } from "vitest";
import * as z from "zod/mini";
import { checkedOptions } from "../../src/driver/index.ts";

const schema = z.strictObject({ apiKey: z.optional(z.string()), region: z.optional(z.string()) });
const check = (options: Readonly<Record<string, unknown>>) => checkedOptions("example", schema, options, ["apiKey"]);

test("owner, runtime and a function in the place of a field are not looked at", () => {
  expect(check({ owner: "me", runtime: {}, apiKey: () => "key", region: "eu" })).toEqual({ region: "eu" });
  expect(check({ owner: "me", apiKey: "key" })).toEqual({ apiKey: "key" });
});

test("all else is refused where the schema does not have it", () => {
  for (const wrong of [{ apiKey: 1 }, { region: () => "eu" }, { regoin: "eu" }]) {
    expect(() => check(wrong)).toThrow(/^the config of example is wrong/);
  }
});
