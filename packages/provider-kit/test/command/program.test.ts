import { expect, it } from "vitest";
import { checkArgv, isAtLeast, spokenWords, versionIn, versionText } from "../../src/command/index.ts";
import { refusals } from "../../src/errors/index.ts";

it.each([
  ["2.2.2", true],
  ["2.2.1", false],
  ["2.10.0", true],
  ["3.0.0", true],
  ["1.9.9", false],
])("%s is at least 2.2.2: %s", (text, expected) => {
  const version = versionIn(`Version: ${text} (17)`, /Version: (\d+)\.(\d+)\.(\d+)/);
  const least = versionIn("2.2.2", /(\d+)\.(\d+)\.(\d+)/);
  if (version === null || least === null) throw new Error("a version was not read");
  expect([versionText(version), isAtLeast(version, least)]).toEqual([text, expected]);
});

it("what is no version is none", () => {
  expect(versionIn("Version: two", /Version: (\d+)\.(\d+)\.(\d+)/)).toBeNull();
});

it("words of a program are one line, not without end, and never nothing", () => {
  expect(spokenWords(" no\n\tsuch\u001b machine \n", 1)).toBe("no such machine");
  expect(spokenWords("x".repeat(500), 1)).toBe(`${"x".repeat(400)}…`);
  expect(spokenWords("\n", 3)).toBe("it ended with 3 and said nothing");
  expect(spokenWords("", null)).toBe("it was ended by a signal");
});

it.each([[[]], [[""]], [["sh", "a\0b"]]])("no system can start %j", (argv) => {
  const check = (): void => checkArgv(argv, "exec", refusals("p"));
  expect(check).toThrowError(expect.objectContaining({ code: "INVALID_SPEC", operation: "exec", effect: "none" }));
});

it("a program may have an empty argument", () => {
  expect(() => checkArgv(["sh", ""], "exec", refusals("p"))).not.toThrow();
});
