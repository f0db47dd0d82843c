import { type ErrorCode, type ErrorEffect, isProviderError, type ProviderError } from "@slipway/core";
import type { RuleId } from "./ids.ts";

/** A broken rule: which one, what was seen, and what the provider's author does next. */
export class ConformanceFailure extends Error {
  override readonly name = "ConformanceFailure";
  readonly rule: RuleId;
  readonly saw: string;
  readonly next: string;

  constructor(rule: RuleId, saw: string, next: string) {
    super(`${rule}: ${saw}\n  Next: ${next}`);
    this.rule = rule;
    this.saw = saw;
    this.next = next;
  }
}

/** Not a failure: the case cannot be told here, and the report says why. */
export class NotApplicable extends Error {
  override readonly name = "NotApplicable";
}

/** Fails the case unless `ok`. `saw` is what was found, `next` what the author does. */
export function must(ok: boolean, rule: RuleId, saw: string, next: string): asserts ok {
  if (!ok) throw new ConformanceFailure(rule, saw, next);
}

/** A value as it is shown in a message: JSON, cut off where it is long. */
export function shown(value: unknown): string {
  const text = value instanceof Error ? `${value.name}: ${value.message}` : (JSON.stringify(value) ?? String(value));
  return text.length > 300 ? `${text.slice(0, 300)}…` : text;
}

export function mustEqual(rule: RuleId, what: string, actual: unknown, expected: unknown, next: string): void {
  const same = actual === expected || JSON.stringify(actual) === JSON.stringify(expected);
  must(same, rule, `${what} is ${shown(actual)}, not ${shown(expected)}`, next);
}

export interface Rejection {
  /** Any of these; any code if absent. */
  readonly codes?: readonly ErrorCode[];
  readonly effect?: ErrorEffect;
}

/** The call must reject with a ProviderError of one of these codes and with this effect; answers the error. */
export async function mustReject(
  rule: RuleId,
  what: string,
  call: () => Promise<unknown>,
  expected: Rejection,
  next: string,
): Promise<ProviderError> {
  const outcome = await settled(call);
  if (outcome.ok) throw new ConformanceFailure(rule, `${what} resolved with ${shown(outcome.value)}`, next);
  const { error } = outcome;
  must(isProviderError(error), "ERR-01", `${what} rejected with ${shown(error)}`, "Throw a ProviderError.");
  const { codes, effect } = expected;
  const told = `${what} rejected with ${error.code} (${error.effect}): ${error.message}`;
  must(codes === undefined || codes.includes(error.code), rule, `${told}; expected ${codes?.join(" or ")}`, next);
  must(effect === undefined || error.effect === effect, rule, `${told}; expected effect ${effect}`, next);
  return error;
}

/** The call must resolve; answers what it resolved with. */
export async function mustResolve<T>(rule: RuleId, what: string, call: () => Promise<T>, next: string): Promise<T> {
  const outcome = await settled(call);
  if (outcome.ok) return outcome.value;
  throw new ConformanceFailure(rule, `${what} rejected with ${shown(outcome.error)}`, next);
}

/** How a call ended, as data. */
export type Outcome<T> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly error: unknown };

export async function settled<T>(call: () => Promise<T>): Promise<Outcome<T>> {
  try {
    return { ok: true, value: await call() };
  } catch (error) {
    return { ok: false, error };
  }
}

/** The error of a call that ended so; undefined if it resolved. What is no ProviderError fails the case. */
export function errorOf(outcome: Outcome<unknown>): ProviderError | undefined {
  if (outcome.ok) return undefined;
  const { error } = outcome;
  must(isProviderError(error), "ERR-01", `a call rejected with ${shown(error)}`, "Throw a ProviderError.");
  return error;
}
