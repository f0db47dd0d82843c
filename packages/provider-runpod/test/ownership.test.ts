import fc from "fast-check";
import { expect, test } from "vitest";
import { environmentOf, ownershipOf } from "../src/ownership.ts";

const key = fc.string({
  unit: fc.integer({ min: 0x20, max: 0x7e }).map((code) => String.fromCodePoint(code)),
  minLength: 1,
  maxLength: 128,
});
const words = fc.string({ unit: "binary", maxLength: 40 });

test("the ownership comes back from a pod's variables as it was written, whatever else stands there", () => {
  fc.assert(
    fc.property(
      key,
      fc.dictionary(words, words),
      fc.dictionary(fc.stringMatching(/^[A-Z]{1,8}$/), words),
      (given, labels, others) => {
        const ownership = {
          owner: "team-a",
          key: given,
          specHash: "sha256:0",
          displayName: "n",
          expiresAt: "2027-01-01T00:00:00Z",
          labels,
        };
        // As JSON, since that is how RunPod keeps them.
        const env = JSON.parse(JSON.stringify({ ...others, ...environmentOf(ownership) })) as Record<string, string>;
        const read = ownershipOf({ env });
        expect(read).toEqual({ ...ownership, labels: { ...labels } });
        expect(Object.values(environmentOf(ownership)).every((value) => !value.includes("\0"))).toBe(true);
      },
    ),
    { numRuns: 300 },
  );
});

test.each([
  ["no variables", undefined],
  ["no owner", { SLIPWAY_KEY: '"a"' }],
  ["no key", { SLIPWAY_OWNER: "team-a" }],
  ["a key that is no JSON", { SLIPWAY_OWNER: "team-a", SLIPWAY_KEY: "a" }],
  ["a key that is no key", { SLIPWAY_OWNER: "team-a", SLIPWAY_KEY: '""' }],
  ["an owner that is none", { SLIPWAY_OWNER: "Team A", SLIPWAY_KEY: '"a"' }],
])("%s is no ownership", (_what, env) => {
  expect(ownershipOf({ env })).toBeNull();
});

test("what somebody has spoiled beside the ownership is left out", () => {
  const env = {
    SLIPWAY_OWNER: "o",
    SLIPWAY_KEY: '"a"',
    SLIPWAY_LABELS: '{"a":1,"b":"2"}',
    SLIPWAY_EXPIRES_AT: "tomorrow",
  };
  expect(ownershipOf({ env })).toMatchObject({ labels: { b: "2" }, expiresAt: undefined, specHash: "" });
  expect(ownershipOf({ env: { ...env, SLIPWAY_LABELS: "[" } })?.labels).toEqual({});
});
