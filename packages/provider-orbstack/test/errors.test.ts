import { describe, expect, test } from "vitest";
import { orbctlFixtures } from "../emulator/index.ts";
import { answeredError, rowOf } from "../src/errors.ts";
import { orbstackErrorTable } from "../src/index.ts";

const spawning = { operation: "spawn", writes: true } as const;

test("every row has its words, and the words are its own", () => {
  for (const { row, command, stderr } of orbctlFixtures) {
    const found = rowOf({ verb: command, stderr });
    expect({ stderr, row: found?.id ?? "unknown" }).toEqual({ stderr, row });
  }
  const said = new Set(orbctlFixtures.map(({ row }) => row));
  expect(orbstackErrorTable.map(({ id }) => id).filter((id) => !said.has(id))).toEqual([]);
});

test("each id stands once", () => {
  const ids = orbstackErrorTable.map(({ id }) => id);
  expect(new Set(ids).size).toBe(ids.length);
});

describe("what merely sounds like it", () => {
  test.each([
    ["create", "[-32098] create 'x': make rootfs: image not found: {ubuntu focal arm64 default}", "INVALID_SPEC"],
    [
      "create",
      "[-32098] create 'x': make rootfs: download metadata: GET download status: 404 Not Found",
      "UNAVAILABLE",
    ],
    ["run", "sh: 1: nosuch: not found", "INTERNAL"],
    ["info", "[-32098] machine not found: 'x'", "NOT_FOUND"],
    ["delete", "[-32098] create 'x': machine already exists: 'x'", "INTERNAL"],
  ])("%s: %s", (verb, stderr, code) => {
    expect(answeredError({ verb, exitCode: 1, stderr }, spawning).code).toBe(code);
  });
});

test("an update notice around the words does not hide them, and is not told", () => {
  const box = "╭────╮\n│ OrbStack update available! │\n╰────╯\n";
  const stderr = `${box}[-32098] machine not found: 'x'\n${box}`;
  const error = answeredError({ verb: "info", exitCode: 1, stderr }, { operation: "get", writes: false });
  expect(error).toMatchObject({ code: "NOT_FOUND", effect: "none" });
  expect(error.message).toBe("orbctl info: [-32098] machine not found: 'x'");
});

test("unknown words: unknown after a write, none after a read; cut, on one line, without secrets", () => {
  const stderr = `oh\u0007 dear s3cr3t\n${"x".repeat(1000)}`;
  const error = answeredError({ verb: "create", exitCode: 3, stderr }, { ...spawning, secrets: ["s3cr3t"] });
  expect(error).toMatchObject({ code: "INTERNAL", effect: "unknown", native: { status: 3, code: "unknown" } });
  expect(error.message).not.toMatch(/s3cr3t|\n/);
  expect(error.message.length).toBeLessThan(450);
  expect(answeredError({ verb: "list", exitCode: 1, stderr }, { operation: "list", writes: false }).effect).toBe(
    "none",
  );
});

test.each([
  ["several lines", "hunter2\nhunter3", "write hunter2\nhunter3", /hunter/],
  ["blanks that are put together", "correct  horse", "write correct  horse", /horse/],
  [
    "what stands where the message is cut",
    "abcdefghijklmnopqrstuvwxyz",
    `${"x".repeat(390)} abcdefghijklmnopqrstuvwxyz`,
    /ab/,
  ],
])("a secret with %s is not told, and no part of it", (_of, secret, stderr, part) => {
  const error = answeredError({ verb: "run", exitCode: 1, stderr }, { ...spawning, secrets: [secret] });
  expect(error.message).not.toMatch(part);
});

test("nothing said is said so", () => {
  expect(answeredError({ verb: "list", exitCode: 2, stderr: "" }, spawning).message).toContain("ended with 2");
  expect(answeredError({ verb: "list", exitCode: null, stderr: " " }, spawning).message).toContain("by a signal");
});
