import { expect, test } from "vitest";
import { positive, present, statusTable, utcTime } from "../../src/driver/index.ts";

test("only fields that hold something are there", () => {
  expect(present({ spec: "small", region: "", image: undefined, count: 0, isSpot: false })).toEqual({
    spec: "small",
    count: 0,
    isSpot: false,
  });
  expect(Object.keys(present({ image: undefined }))).toEqual([]);
});

test("an amount of 0 or less is none", () => {
  expect([positive(2), positive(2, 1024), positive(0), positive(-1), positive(undefined)]).toEqual([
    2,
    2048,
    undefined,
    undefined,
    undefined,
  ]);
});

test("a time is written in UTC", () => {
  expect(utcTime("2026-11-30T13:00:00+01:00")).toBe("2026-11-30T12:00:00.000Z");
  expect([utcTime(undefined), utcTime(""), utcTime("soon")]).toEqual([null, null, null]);
});

test("a word that the table does not have is unknown, also one that every object has", () => {
  const states = statusTable({ up: "running", lost: { status: "unknown", reason: "no contact" } });
  expect(states.statusOf("up")).toBe("running");
  expect(states.reasonOf("up")).toBeUndefined();
  expect(states.reasonOf("lost")).toEqual({ code: "lost", message: "no contact" });
  for (const word of ["constructor", "toString", "__proto__", ""]) {
    expect(states.statusOf(word)).toBe("unknown");
    expect(states.reasonOf(word)).toBeUndefined();
  }
});
