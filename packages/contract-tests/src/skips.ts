import { type SkippableCaseId, UNSKIPPABLE_GROUPS } from "./ids.ts";
import { cases } from "./topics.ts";

/** A case that a provider does not pass yet, and says so. */
export interface Skip {
  /** Identity, spawn, terminate, list, get, bootstrap and key cannot be skipped. */
  readonly id: SkippableCaseId;
  /** Why, in a sentence that the report shows. */
  readonly reason: string;
  /** The day, as 2026-12-31, from which on the skip itself fails the run. */
  readonly reviewBy: string;
}

const DAY = /^\d{4}-\d\d-\d\d$/;

/** What is wrong with the skips, for callers without types and for days that have come; empty if nothing is. */
export function skipProblems(skips: readonly Skip[], now: number): readonly string[] {
  const odd = Array.isArray(skips) ? skips.find((skip) => typeof skip !== "object" || skip === null) : skips;
  if (odd !== undefined) return ["skips must be a list of { id, reason, reviewBy }"];
  return skips.flatMap((skip) => problemsOf(skip, now)).concat(repeated(skips.map(({ id }) => id)));
}

function problemsOf({ id, reason, reviewBy }: Skip, now: number): readonly string[] {
  const known = cases.find((one) => one.id === id);
  if (known === undefined) return [`skip ${id}: there is no such case`];
  const problems: string[] = [];
  if (UNSKIPPABLE_GROUPS.some((group) => group === known.group)) {
    problems.push(`skip ${id}: the group ${known.group} cannot be skipped`);
  }
  if (typeof reason !== "string" || reason.trim() === "") problems.push(`skip ${id}: it has no reason`);
  const day = DAY.test(reviewBy) ? Date.parse(`${reviewBy}T00:00:00Z`) : Number.NaN;
  if (Number.isNaN(day)) problems.push(`skip ${id}: reviewBy must be a day as 2026-12-31`);
  else if (day <= now) problems.push(`skip ${id}: its review was due on ${reviewBy}; pass the case or decide anew`);
  return problems;
}

function repeated(ids: readonly string[]): readonly string[] {
  return ids.filter((id, i) => ids.indexOf(id) !== i).map((id) => `skip ${id}: it is named twice`);
}
