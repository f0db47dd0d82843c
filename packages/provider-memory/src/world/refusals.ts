import type { ErrorCode } from "@slipway/core";

/** All that the remote can answer instead of what was asked for. */
export interface RefusalEntry {
  readonly status: number;
  readonly text: string;
  /** A fault that names only a code of the taxonomy is answered so. The first entry of a code is taken. */
  readonly standsFor: ErrorCode;
  /** Where in the call a fault of this row stands, whatever the fault says: some answers make sense in one place only. */
  readonly timing?: "before" | "after";
}

export type RefusalId =
  | "bad-key"
  | "forbidden"
  | "bad-request"
  | "unknown-spec"
  | "unknown-image"
  | "unknown-place"
  | "place-mismatch"
  | "price-above-limit"
  | "user-data-too-large"
  | "no-capacity"
  | "bid-too-low"
  | "reclaimed"
  | "quota"
  | "slow-down"
  | "not-found"
  | "name-taken"
  | "other-request"
  | "not-ours"
  | "wrong-state"
  | "in-transition"
  | "not-free"
  | "maintenance"
  | "region-down"
  | "gateway-timeout"
  | "mystery"
  | "garbled-answer";

export const REFUSALS: { readonly [I in RefusalId]: RefusalEntry } = {
  "bad-key": { status: 401, text: "the API key is not known", standsFor: "AUTH_ERROR" },
  forbidden: { status: 403, text: "the API key may not do this", standsFor: "AUTH_ERROR" },
  "bad-request": { status: 400, text: "the request is not understood", standsFor: "INVALID_SPEC" },
  "unknown-spec": { status: 422, text: "there is no such spec", standsFor: "INVALID_SPEC" },
  "unknown-image": { status: 422, text: "there is no such image", standsFor: "INVALID_SPEC" },
  "unknown-place": { status: 422, text: "there is no such region or zone", standsFor: "INVALID_SPEC" },
  "place-mismatch": { status: 422, text: "the parts stand at different places", standsFor: "INVALID_SPEC" },
  "price-above-limit": { status: 422, text: "the price is above the limit", standsFor: "INVALID_SPEC" },
  "user-data-too-large": { status: 413, text: "the user data is too large", standsFor: "INVALID_SPEC" },
  "no-capacity": { status: 507, text: "none is free at this place", standsFor: "CAPACITY_ERROR" },
  "bid-too-low": { status: 507, text: "the bid is below the market", standsFor: "CAPACITY_ERROR" },
  reclaimed: { status: 410, text: "the machine was reclaimed", standsFor: "SPOT_INTERRUPTED" },
  quota: { status: 402, text: "the account has no more", standsFor: "QUOTA_EXCEEDED" },
  "slow-down": { status: 429, text: "too many requests", standsFor: "RATE_LIMIT_ERROR" },
  "not-found": { status: 404, text: "there is no such thing", standsFor: "NOT_FOUND" },
  "name-taken": { status: 409, text: "the name is taken", standsFor: "CONFLICT" },
  "other-request": { status: 409, text: "the tag stands for another request", standsFor: "CONFLICT" },
  "not-ours": { status: 409, text: "the thing bears no tag", standsFor: "CONFLICT" },
  "wrong-state": { status: 409, text: "it is in the wrong state", standsFor: "INVALID_STATE" },
  "in-transition": { status: 423, text: "it is in transition", standsFor: "BUSY" },
  // Only a conditional attachment is answered so, and the client goes on to the next volume.
  "not-free": { status: 412, text: "the volume is not free", standsFor: "BUSY" },
  maintenance: { status: 503, text: "the service is down", standsFor: "UNAVAILABLE" },
  "region-down": { status: 503, text: "the region is down", standsFor: "UNAVAILABLE" },
  "gateway-timeout": { status: 504, text: "the service did not answer in time", standsFor: "TIMEOUT", timing: "after" },
  mystery: { status: 500, text: "something went wrong", standsFor: "INTERNAL" },
  // Done, and answered with something that is no answer.
  "garbled-answer": { status: 200, text: "", standsFor: "INTERNAL", timing: "after" },
};

export type BreakId = "connect-timeout" | "connection-refused" | "answer-timeout" | "connection-reset";

export interface BreakEntry {
  readonly sent: boolean;
  readonly standsFor: ErrorCode;
  readonly timing: "before" | "after";
}

/** The connections that end without an answer. Their ids stand in the provider's error table beside those above. */
export const BREAKS: { readonly [I in BreakId]: BreakEntry } = {
  "connect-timeout": { sent: false, standsFor: "TIMEOUT", timing: "before" },
  "connection-refused": { sent: false, standsFor: "NETWORK", timing: "before" },
  "answer-timeout": { sent: true, standsFor: "TIMEOUT", timing: "after" },
  "connection-reset": { sent: true, standsFor: "NETWORK", timing: "after" },
};

/** Thrown inside the remote; the endpoint turns it into an answer. */
export class Refusal extends Error {
  readonly id: RefusalId;
  readonly thing: string | undefined;
  readonly retryAfterSeconds: number | undefined;

  constructor(
    id: RefusalId,
    text?: string,
    more: { readonly thing?: string; readonly retryAfterSeconds?: number } = {},
  ) {
    super(text ?? REFUSALS[id].text);
    this.id = id;
    this.thing = more.thing;
    this.retryAfterSeconds = more.retryAfterSeconds;
  }
}

/** What the client's transport throws where there is no answer. */
export class BrokenConnection extends Error {
  /** Had the request left? Then nobody here knows what became of it. */
  readonly sent: boolean;
  readonly id: BreakId | "aborted";

  constructor(id: BreakId | "aborted", sent: boolean) {
    super(id);
    this.sent = sent;
    this.id = id;
  }
}

export function isRefusalId(id: string): id is RefusalId {
  return Object.hasOwn(REFUSALS, id);
}

export function isBreakId(id: string): id is BreakId {
  return Object.hasOwn(BREAKS, id);
}
