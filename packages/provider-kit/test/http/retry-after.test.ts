import { expect, test } from "vitest";
import { retryAfterMs } from "../../src/http/retry-after.ts";

const now = Date.parse("2026-11-20T12:00:00Z");

test.each([
  ["seconds", { "retry-after": "12" }, 12_000],
  ["a fraction", { "retry-after": "0.2" }, 200],
  ["a date", { "retry-after": "Fri, 20 Nov 2026 12:00:30 GMT" }, 30_000],
  ["a date that is past", { "retry-after": "Fri, 20 Nov 2026 11:00:00 GMT" }, 0],
  ["nonsense", { "retry-after": "soon" }, undefined],
  ["a spent budget", { "ratelimit-remaining": "0", "ratelimit-reset": "9" }, 9_000],
  ["a budget with something left", { "ratelimit-remaining": "3", "ratelimit-reset": "9" }, undefined],
  [
    "a spent budget, reset as a time",
    { "x-ratelimit-remaining": "0", "x-ratelimit-reset": String(now / 1000 + 5) },
    5_000,
  ],
  [
    "a spent budget, reset as a time in milliseconds",
    { "x-ratelimit-remaining": "0", "x-ratelimit-reset": String(now + 5_000) },
    5_000,
  ],
  ["Retry-After as a time since 1970", { "retry-after": String(now / 1000 + 7) }, 7_000],
  ["Retry-After as milliseconds since 1970", { "retry-after": String(now + 7_000) }, 7_000],
  ["a time since 1970 that is past", { "retry-after": String(now / 1000 - 7) }, 0],
  ["the structured field", { ratelimit: '"default";r=0;t=4' }, 4_000],
  ["the structured field with something left", { ratelimit: '"default";r=50;t=4' }, undefined],
  ["one window, as an older draft writes it", { ratelimit: "limit=100, remaining=0, reset=50" }, 50_000],
  ["a window that is spent behind one that is not", { ratelimit: '"minute";r=5;t=12, "hour";r=0;t=900' }, 900_000],
  ["a window that is spent before one that is not", { ratelimit: '"minute";r=0;t=12, "day";r=7;t=40000' }, 12_000],
  ["two windows that are spent", { ratelimit: '"minute";r=0;t=12, "hour";r=0;t=900' }, 900_000],
  ["nothing", {}, undefined],
])("%s", (_title, headers: Record<string, string>, expected) => {
  expect(retryAfterMs(new Headers(headers), now)).toBe(expected);
});
