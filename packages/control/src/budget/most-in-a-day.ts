import type { Claim } from "./budget-record.ts";

export const DAY_MS = 86_400_000;
const HOUR_MS = 3_600_000;

/**
 * The most that any 24 hours that hold `now` cost: what was spent in them, and what is still to come. What runs is counted
 * until it is known to be gone, or until the time at which it is to be gone.
 */
export function mostInADay(claims: readonly Claim[], now: number): number {
  const spans = claims.map(({ usdPerHour, from, until, to }) => ({
    usdPerHour,
    from,
    // Past its time, and not known to be gone: it costs on.
    to: to ?? (until !== null && until > now ? until : Number.POSITIVE_INFINITY),
  }));
  // The sum grows and shrinks evenly between these.
  const edges = spans.flatMap(({ from, to }) => [from, to, from - DAY_MS, to - DAY_MS]);
  const begins = [now - DAY_MS, now, ...edges].filter((begin) => begin >= now - DAY_MS && begin <= now);
  const costOf = (begin: number): number =>
    spans.reduce((sum, { usdPerHour, from, to }) => {
      const ms = Math.min(to, begin + DAY_MS) - Math.max(from, begin);
      return sum + (usdPerHour * Math.max(0, ms)) / HOUR_MS;
    }, 0);
  return Math.max(...begins.map(costOf));
}
