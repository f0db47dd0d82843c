import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { redact, redactCut } from "../../src/command/index.ts";

describe("redact", () => {
  it("takes out every occurrence, the longer of two secrets first", () => {
    expect(redact("a=tok b=token c=tok", ["tok", "token"])).toBe("a=[redacted] b=[redacted] c=[redacted]");
  });

  it("leaves no rest of two secrets that share characters", () => {
    expect(redact("xx-abcdef-xx", ["abcd", "cdef"])).toBe("xx-[redacted]-xx");
  });

  it("ignores empty secrets", () => {
    expect(redact("text", ["", "\n"])).toBe("text");
  });

  it("takes out the lines of a secret that has several", () => {
    const key = "-----BEGIN KEY-----\nMIIEvQIBADANBg\n-----END KEY-----\n";
    expect(redact("loaded MIIEvQIBADANBg from file", [key])).toBe("loaded [redacted] from file");
  });

  it("shows no secret whatever stands around it", () => {
    const secret = fc
      .string({ minLength: 6, maxLength: 30, unit: "grapheme" })
      .filter((text) => text.trim().length > 5);
    fc.assert(
      fc.property(
        fc.array(secret, { minLength: 1, maxLength: 4 }),
        fc.array(fc.string(), { minLength: 6, maxLength: 6 }),
        (secrets, gaps) => {
          const text = secrets.flatMap((one, at) => [gaps[at] ?? "", one]).join("") + (gaps.at(-1) ?? "");
          const clean = redact(text, secrets);
          for (const one of secrets) expect(clean.replaceAll("[redacted]", "\u0000")).not.toContain(one);
        },
      ),
    );
  });

  it("changes nothing where there is no secret", () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        expect(redact(text, ["\u{10FFFF}never-there"])).toBe(text);
      }),
    );
  });
});

describe("redactCut", () => {
  it("takes out what is left of a secret at either end", () => {
    expect(redactCut("cret-token said x s3cret-", ["s3cret-token"])).toBe("[redacted] said x [redacted]");
  });
});
