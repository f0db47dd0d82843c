/**
 * What an error is about, and so what the caller varies next: the request, the placement (zone and machine type), the
 * subnet, spot against on-demand, the region, the account, or the provider as a whole.
 */
export type ErrorScope = "request" | "placement" | "subnet" | "capacity-type" | "region" | "account" | "provider";

export const ERROR_SCOPES: readonly ErrorScope[] = [
  "request",
  "placement",
  "subnet",
  "capacity-type",
  "region",
  "account",
  "provider",
];

/** Did the remote side change? `unknown` is looked up, never repeated blindly. */
export type ErrorEffect = "none" | "applied" | "unknown";

export type ErrorCategory =
  | "capacity"
  | "auth"
  | "rate_limit"
  | "validation"
  | "not_found"
  | "conflict"
  | "transient"
  | "cancelled"
  | "internal";

interface Row<Category extends ErrorCategory, Retryable extends boolean, Scope extends ErrorScope> {
  readonly category: Category;
  /** The same request, at the same place, may succeed later. */
  readonly retryable: Retryable;
  /** The default; a row of a provider's table may override it. */
  readonly scope: Scope;
}

/** Category, retryability and default scope follow from the code, in the types too. */
export interface ErrorCodes {
  /** The remote has none free at this place now. */
  readonly CAPACITY_ERROR: Row<"capacity", true, "placement">;
  /** The remote took interruptible capacity back. */
  readonly SPOT_INTERRUPTED: Row<"capacity", true, "placement">;
  /** The account may not have more, or has no funds; waiting does not help. */
  readonly QUOTA_EXCEEDED: Row<"capacity", false, "account">;
  /** The credentials are missing, wrong, or lack a permission. */
  readonly AUTH_ERROR: Row<"auth", false, "account">;
  /** Too many requests; `retryAfterMs` says when, if the remote does. */
  readonly RATE_LIMIT_ERROR: Row<"rate_limit", true, "account">;
  /** The request itself is wrong; the message names the field. */
  readonly INVALID_SPEC: Row<"validation", false, "request">;
  /** The thing that the request names is not there. */
  readonly NOT_FOUND: Row<"not_found", false, "request">;
  /** This key or name already has something else. */
  readonly CONFLICT: Row<"conflict", false, "request">;
  /** The thing is in a state in which this cannot be done. */
  readonly INVALID_STATE: Row<"conflict", false, "request">;
  /** A conflict that passes by itself: in transition, or the same request is in progress. */
  readonly BUSY: Row<"conflict", true, "request">;
  /** The provider cannot do this; the message says why. */
  readonly UNSUPPORTED: Row<"validation", false, "provider">;
  /** No answer within the call's time. */
  readonly TIMEOUT: Row<"transient", true, "provider">;
  /** The connection could not be made or broke. */
  readonly NETWORK: Row<"transient", true, "provider">;
  /** The remote, or the service behind it, is down. */
  readonly UNAVAILABLE: Row<"transient", true, "provider">;
  /** The caller aborted; `effect` says what was done by then. */
  readonly CANCELLED: Row<"cancelled", false, "request">;
  /** An answer that the provider does not understand, or a fault of its own. */
  readonly INTERNAL: Row<"internal", false, "provider">;
}

// Not `keyof ErrorCodes`: the compiler's messages then say "ErrorCode".
export type ErrorCode = { [K in keyof ErrorCodes]: K }[keyof ErrorCodes];

/** The one table that the class, the documentation and the suite are made from. */
export const ERROR_CODES: ErrorCodes = {
  CAPACITY_ERROR: {
    category: "capacity",
    retryable: true,
    scope: "placement",
  },
  SPOT_INTERRUPTED: {
    category: "capacity",
    retryable: true,
    scope: "placement",
  },
  QUOTA_EXCEEDED: {
    category: "capacity",
    retryable: false,
    scope: "account",
  },
  AUTH_ERROR: {
    category: "auth",
    retryable: false,
    scope: "account",
  },
  RATE_LIMIT_ERROR: {
    category: "rate_limit",
    retryable: true,
    scope: "account",
  },
  INVALID_SPEC: {
    category: "validation",
    retryable: false,
    scope: "request",
  },
  NOT_FOUND: {
    category: "not_found",
    retryable: false,
    scope: "request",
  },
  CONFLICT: {
    category: "conflict",
    retryable: false,
    scope: "request",
  },
  INVALID_STATE: {
    category: "conflict",
    retryable: false,
    scope: "request",
  },
  BUSY: {
    category: "conflict",
    retryable: true,
    scope: "request",
  },
  UNSUPPORTED: {
    category: "validation",
    retryable: false,
    scope: "provider",
  },
  TIMEOUT: { category: "transient", retryable: true, scope: "provider" },
  NETWORK: {
    category: "transient",
    retryable: true,
    scope: "provider",
  },
  UNAVAILABLE: {
    category: "transient",
    retryable: true,
    scope: "provider",
  },
  CANCELLED: {
    category: "cancelled",
    retryable: false,
    scope: "request",
  },
  INTERNAL: {
    category: "internal",
    retryable: false,
    scope: "provider",
  },
};
