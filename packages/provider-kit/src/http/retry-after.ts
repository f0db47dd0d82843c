/**
 * How long the remote asks to wait, milliseconds: `Retry-After` in seconds or as a time, else the reset of a RateLimit
 * header whose remaining budget is 0. Undefined if it says nothing usable.
 */
export function retryAfterMs(headers: Headers, nowMs: number): number | undefined {
  const retryAfter = headers.get("retry-after")?.trim();
  if (retryAfter !== undefined) {
    if (/^\d+(\.\d+)?$/.test(retryAfter)) return untilMs(Number(retryAfter), nowMs);
    const at = Date.parse(retryAfter);
    if (!Number.isNaN(at)) return Math.max(0, at - nowMs);
  }
  return spentBudgetMs(headers, nowMs);
}

const BUDGETS = [
  { remaining: "ratelimit-remaining", reset: "ratelimit-reset" },
  { remaining: "x-ratelimit-remaining", reset: "x-ratelimit-reset" },
] as const;
// A number from here on is a time since 1970, below it a number of seconds to wait.
const EPOCH_SECONDS = 1_000_000_000;
const EPOCH_MILLISECONDS = 1_000_000_000_000;

/** What a number means: a wait in seconds, or a time in seconds or milliseconds since 1970, as some remotes write it. */
function untilMs(value: number, nowMs: number): number {
  if (value >= EPOCH_MILLISECONDS) return Math.max(0, value - nowMs);
  if (value >= EPOCH_SECONDS) return Math.max(0, value * 1000 - nowMs);
  return Math.ceil(value * 1000);
}

function spentBudgetMs(headers: Headers, nowMs: number): number | undefined {
  const structured = headers.get("ratelimit");
  const spent = structured === null ? [] : spentWindowsMs(structured, nowMs);
  if (spent.length > 0) return Math.max(...spent);
  for (const names of BUDGETS) {
    if (headers.get(names.remaining)?.trim() !== "0") continue;
    const reset = Number(headers.get(names.reset) ?? Number.NaN);
    if (!Number.isFinite(reset) || reset < 0) continue;
    return untilMs(reset, nowMs);
  }
  return undefined;
}

/** A structured field may hold several windows, each with its own reset: only those that are spent count. */
function spentWindowsMs(structured: string, nowMs: number): readonly number[] {
  // An older draft joins the parts of its only window by commas, too.
  return structured.split(/,(?=\s*"[^"]*"\s*;)/).flatMap((window) => {
    if (!/(?:^|[\s;,])(?:r|remaining)=0(?:[\s;,]|$)/.test(window)) return [];
    const seconds = /(?:^|[\s;,])(?:t|reset)=(\d+)/.exec(window)?.[1];
    return seconds === undefined ? [] : [untilMs(Number(seconds), nowMs)];
  });
}
