/**
 * How long the remote asks to wait, milliseconds: `Retry-After` in seconds or as a date, else the reset of a RateLimit
 * header whose remaining budget is 0. Undefined if it says nothing usable.
 */
export function retryAfterMs(headers: Headers, nowMs: number): number | undefined {
  const retryAfter = headers.get("retry-after")?.trim();
  if (retryAfter !== undefined) {
    if (/^\d+(\.\d+)?$/.test(retryAfter)) return Math.ceil(Number(retryAfter) * 1000);
    const at = Date.parse(retryAfter);
    if (!Number.isNaN(at)) return Math.max(0, at - nowMs);
  }
  return spentBudgetMs(headers, nowMs);
}

const BUDGETS = [
  { remaining: "ratelimit-remaining", reset: "ratelimit-reset" },
  { remaining: "x-ratelimit-remaining", reset: "x-ratelimit-reset" },
] as const;
// A reset above this is a time in seconds since the epoch, below it a number of seconds.
const EPOCH_SECONDS = 1_000_000_000;

function spentBudgetMs(headers: Headers, nowMs: number): number | undefined {
  const structured = headers.get("ratelimit");
  const spent = structured === null ? [] : spentWindowsMs(structured);
  if (spent.length > 0) return Math.max(...spent);
  for (const names of BUDGETS) {
    if (headers.get(names.remaining)?.trim() !== "0") continue;
    const reset = Number(headers.get(names.reset) ?? Number.NaN);
    if (!Number.isFinite(reset) || reset < 0) continue;
    return reset > EPOCH_SECONDS ? Math.max(0, reset * 1000 - nowMs) : reset * 1000;
  }
  return undefined;
}

/** A structured field may hold several windows, each with its own reset: only those that are spent count. */
function spentWindowsMs(structured: string): readonly number[] {
  // An older draft joins the parts of its only window by commas, too.
  return structured.split(/,(?=\s*"[^"]*"\s*;)/).flatMap((window) => {
    if (!/(?:^|[\s;,])(?:r|remaining)=0(?:[\s;,]|$)/.test(window)) return [];
    const seconds = /(?:^|[\s;,])(?:t|reset)=(\d+)/.exec(window)?.[1];
    return seconds === undefined ? [] : [Number(seconds) * 1000];
  });
}
