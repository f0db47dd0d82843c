/** What each code means, for a person. */
export const STORE_ERROR_CODES = {
  CORRUPT: "A record cannot be read. It is left as it is: nothing is overwritten.",
  FULL: "There is no space left, or the quota is used up. The record that was there before is still whole.",
  READ_ONLY: "The store's file system is mounted read-only.",
  NO_ACCESS: "This user may not read or write there.",
  UNUSABLE: "The place cannot hold a store: it is no directory, or its file system has no hard links.",
  NOT_HELD: "A record was written or removed by someone who does not hold its lease.",
  UNAVAILABLE: "The store cannot be reached for now, as while a database restarts. The same call may work later.",
  FORMAT: "The store or a record was written by a newer version, which this one cannot read. Nothing is overwritten.",
  IO: "The operating system reports another fault.",
} as const;

export type StoreErrorCode = keyof typeof STORE_ERROR_CODES;

// A registered symbol, so that an error made by another copy of this package is still recognised.
const BRAND = Symbol.for("slipway.StoreError");

/** A fault of the store, not of a provider. `hint` says what the user does next. */
export class StoreError extends Error {
  override readonly name: string = "StoreError";
  readonly code: StoreErrorCode;
  /** The file or directory in question, where there is one. */
  readonly path?: string;
  readonly hint: string;

  constructor(
    code: StoreErrorCode,
    details: {
      readonly message: string;
      readonly hint: string;
      readonly path?: string | undefined;
      readonly cause?: unknown;
    },
  ) {
    super(details.message, details.cause === undefined ? undefined : { cause: details.cause });
    this.code = code;
    if (details.path !== undefined) this.path = details.path;
    this.hint = details.hint;
    Object.defineProperty(this, BRAND, { value: true });
  }

  /** May the same call work later, with nothing changed by anybody? */
  get retryable(): boolean {
    return this.code === "UNAVAILABLE";
  }

  /** All but the cause and the stack. `JSON.stringify` would drop the message. */
  toJSON(): { name: string; code: StoreErrorCode; message: string; hint: string; path?: string } {
    const { name, code, message, hint } = this;
    return { name, code, message, hint, ...(this.path === undefined ? {} : { path: this.path }) };
  }
}

/**
 * Is it a StoreError, made by any copy of this package, and of one of these codes if any are given?
 *
 * @example
 * ```ts
 * import { reconcile } from "@slipway/control";
 *
 * await reconcile(provider, { store }).catch((error) => {
 *   if (!isStoreError(error, "UNAVAILABLE")) throw error;
 *   console.log("the store cannot be reached; nothing was changed");
 * });
 * ```
 */
export function isStoreError(error: unknown, ...codes: readonly StoreErrorCode[]): error is StoreError {
  if (typeof error !== "object" || error === null || !(BRAND in error)) return false;
  return codes.length === 0 || ("code" in error && codes.some((code) => code === error.code));
}
