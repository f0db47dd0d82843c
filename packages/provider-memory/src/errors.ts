import {
  type AnyProviderError,
  abortError,
  type ErrorCode,
  type ErrorEffect,
  type ErrorScope,
  ProviderError,
} from "@slipway/core";
import type { WireAnswer } from "./world/endpoint.ts";
import { BREAKS, BrokenConnection, isBreakId, REFUSALS } from "./world/refusals.ts";

/** What the remote says, and what the user gets. `operation` is one at which it can be provoked. */
export interface MemoryErrorRow {
  readonly id: string;
  readonly operation: string;
  readonly code: ErrorCode;
  /** The code's own if absent. */
  readonly scope?: ErrorScope;
  /** What is true after a write; a read never has an effect. */
  readonly effect: ErrorEffect;
  readonly hint?: string;
}

const spawn = { operation: "spawn", effect: "none" } as const;

/**
 * The whole table. Every row is emitted where a fault with its id stands: `world.faults.add({ operation, when: "before",
 * row })`; rows that make sense only after the effect are placed there whatever the fault says.
 */
export const memoryErrorTable: readonly MemoryErrorRow[] = [
  { ...spawn, id: "bad-key", code: "AUTH_ERROR", hint: "Give memory() an apiKey that the world's apiKeys name." },
  { ...spawn, id: "forbidden", code: "AUTH_ERROR" },
  { ...spawn, id: "bad-request", code: "INVALID_SPEC" },
  { ...spawn, id: "unknown-spec", code: "INVALID_SPEC" },
  { ...spawn, id: "unknown-image", code: "INVALID_SPEC" },
  { ...spawn, id: "unknown-place", code: "INVALID_SPEC" },
  { ...spawn, id: "place-mismatch", code: "INVALID_SPEC" },
  { ...spawn, id: "price-above-limit", code: "INVALID_SPEC" },
  { ...spawn, id: "user-data-too-large", code: "INVALID_SPEC" },
  { ...spawn, id: "no-capacity", code: "CAPACITY_ERROR" },
  { ...spawn, id: "bid-too-low", code: "CAPACITY_ERROR", scope: "capacity-type", hint: "Bid more, or go on-demand." },
  { ...spawn, id: "reclaimed", operation: "createSnapshot", code: "SPOT_INTERRUPTED" },
  { ...spawn, id: "quota", code: "QUOTA_EXCEEDED" },
  { ...spawn, id: "slow-down", code: "RATE_LIMIT_ERROR" },
  { ...spawn, id: "not-found", operation: "createSnapshot", code: "NOT_FOUND" },
  { ...spawn, id: "name-taken", code: "CONFLICT" },
  {
    ...spawn,
    id: "other-request",
    code: "CONFLICT",
    hint: "Another request has this key: use another key, or its options.",
  },
  {
    ...spawn,
    id: "not-ours",
    operation: "terminate",
    code: "CONFLICT",
    hint: "It was not made by Slipway: it is left alone.",
  },
  { ...spawn, id: "wrong-state", operation: "hibernate", code: "INVALID_STATE" },
  { ...spawn, id: "in-transition", operation: "createSnapshot", code: "BUSY" },
  { ...spawn, id: "maintenance", code: "UNAVAILABLE" },
  { ...spawn, id: "region-down", code: "UNAVAILABLE", scope: "region" },
  { ...spawn, id: "gateway-timeout", code: "TIMEOUT", effect: "unknown" },
  { ...spawn, id: "mystery", code: "INTERNAL", effect: "unknown" },
  { ...spawn, id: "garbled-answer", code: "INTERNAL", effect: "applied" },
  { ...spawn, id: "connect-timeout", code: "TIMEOUT" },
  { ...spawn, id: "connection-refused", code: "NETWORK" },
  { ...spawn, id: "answer-timeout", code: "TIMEOUT", effect: "unknown" },
  { ...spawn, id: "connection-reset", code: "NETWORK", effect: "unknown" },
];

const ROWS: ReadonlyMap<string, MemoryErrorRow> = new Map(memoryErrorTable.map((row) => [row.id, row]));
const UNKNOWN_ROW: MemoryErrorRow = { id: "unknown", operation: "spawn", code: "INTERNAL", effect: "unknown" };

/** The place of a call: what was called, and what had been done before. */
export interface CallPlace {
  readonly provider: string;
  readonly operation: string;
  readonly writes: boolean;
  /** An earlier request of the same call has already changed something. */
  readonly changed?: boolean | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** The error of an answer that is none. */
export function answerError(
  said: NonNullable<WireAnswer["error"]>,
  status: number,
  place: CallPlace,
): AnyProviderError {
  const row = ROWS.get(said.id) ?? UNKNOWN_ROW;
  return failure(row, said.unclear === true ? "unknown" : row.effect, said.text, place, {
    retryAfterMs: said.retryAfterSeconds === undefined ? undefined : Math.ceil(said.retryAfterSeconds * 1_000),
    native: { status, code: said.id, ...(said.thing === undefined ? {} : { id: said.thing }) },
  });
}

/** The error of an answer that came, and says nothing that this client understands. */
export function garbledError(place: CallPlace, cause: unknown): AnyProviderError {
  const row = ROWS.get("garbled-answer") ?? UNKNOWN_ROW;
  return failure(row, row.effect, "the answer is not one of this API", place, {
    native: { status: REFUSALS["garbled-answer"].status, code: row.id },
    cause,
  });
}

const BREAK_TEXTS: Readonly<Record<keyof typeof BREAKS, string>> = {
  "connect-timeout": "no connection could be made in time",
  "connection-refused": "the connection was refused",
  "answer-timeout": "the request was sent, and no answer came in time",
  "connection-reset": "the request was sent, and the connection broke before an answer",
};

/** The error of a connection that ended without an answer; anything else is thrown on as it is. */
export function transportError(error: unknown, place: CallPlace): AnyProviderError {
  if (!(error instanceof BrokenConnection)) throw error;
  if (isBreakId(error.id)) {
    const row = ROWS.get(error.id) ?? UNKNOWN_ROW;
    return failure(row, row.effect, BREAK_TEXTS[error.id], place, { native: { code: row.id } });
  }
  const { provider, operation } = place;
  return abortError(place.signal ?? AbortSignal.abort(), {
    provider,
    operation,
    effect: effectAt(place, error.sent ? "unknown" : "none"),
  });
}

function failure(
  row: MemoryErrorRow,
  effect: ErrorEffect,
  text: string,
  place: CallPlace,
  more: Pick<ConstructorParameters<typeof ProviderError>[1], "retryAfterMs" | "native" | "cause">,
): AnyProviderError {
  const { provider, operation } = place;
  // The union over all codes cannot be seen by the constructor; a row's code decides which member it is.
  return new ProviderError(row.code, {
    message: `${operation}: ${text}`,
    provider,
    operation,
    effect: effectAt(place, effect),
    scope: row.scope,
    hint: row.hint,
    ...more,
  }) as AnyProviderError;
}

/** A read changes nothing, and what an earlier request did stays done. */
function effectAt(place: CallPlace, effect: ErrorEffect): ErrorEffect {
  if (place.changed === true) return "applied";
  return place.writes ? effect : "none";
}
