import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { isKey, isOwner, nameFor, namePrefixFor } from "../src/index.ts";

const owners = fc.stringMatching(/^[a-z0-9-]{1,63}$/);
const keys = fc.stringMatching(/^[\x20-\x7e]{1,128}$/);

describe("nameFor", () => {
  // Made with Python's hashlib and base64.b32encode.
  it.each([
    ["ci", "job-1", "slip-dmkyqopy-ajvlmoocdx4kvahfpcjx"],
    ["a", "a", "slip-zklycewk-zklycewkdo64v6wcggzz"],
    ["prod-eu", "018f2b6e-5a3c-7d10-9b1e-2f4c6a8d0e12", "slip-gmjlnfk2-3jzs67bz2a4sxydtmrfw"],
    ["x".repeat(63), `~ !${"k".repeat(125)}`, "slip-ourawrzb-4b6mfrlgejqqyzkk6ghw"],
  ])("of owner %s and key %s is %s", (owner, key, name) => {
    expect(nameFor(owner, key)).toBe(name);
  });

  it("fits a DNS label and begins with its owner's prefix", () => {
    fc.assert(
      fc.property(owners, keys, (owner, key) => {
        const name = nameFor(owner, key);
        expect(name).toMatch(/^slip-[a-z2-7]{8}-[a-z2-7]{20}$/);
        expect(name.startsWith(namePrefixFor(owner))).toBe(true);
        expect(nameFor(owner, key)).toBe(name);
      }),
    );
  });

  it("tells owners and keys apart", () => {
    fc.assert(
      fc.property(owners, keys, keys, (owner, one, other) => {
        fc.pre(one !== other);
        expect(nameFor(owner, one)).not.toBe(nameFor(owner, other));
      }),
    );
    fc.assert(
      fc.property(owners, owners, keys, (one, other, key) => {
        fc.pre(one !== other);
        expect(namePrefixFor(one)).not.toBe(namePrefixFor(other));
        expect(nameFor(one, key)).not.toBe(nameFor(other, key));
      }),
    );
  });
});

describe("a key", () => {
  it.each(["k", " ", "~", "a".repeat(128), 'quotes " and $(x)'])("may be %j", (key) => {
    expect(isKey(key)).toBe(true);
  });
  it.each(["", "a".repeat(129), "ключ", "a\nb", "a\n", "\t", "\x7f", "\0", null, undefined, 5, ["k"]])(
    "may not be %j",
    (key) => {
      expect(isKey(key)).toBe(false);
    },
  );
});

describe("an owner", () => {
  it.each(["o", "ci-1", "-", "0".repeat(63)])("may be %j", (owner) => {
    expect(isOwner(owner)).toBe(true);
  });
  it.each(["", "O", "a_b", "a.b", "*", "a\n", "o".repeat(64), null, undefined, 1])("may not be %j", (owner) => {
    expect(isOwner(owner)).toBe(false);
  });
});
