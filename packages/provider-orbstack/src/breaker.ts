import type { Clock, ProviderError } from "@slipway/core";
import type { Call } from "./call.ts";
import { ADDRESS_HINT, refusal } from "./errors.ts";

/** Keeps creations back while OrbStack has no addresses: each attempt would take half a minute, and may use up another. */
export interface Breaker {
  /** CAPACITY_ERROR, with nothing sent, while it is open. */
  readonly assertClosed: (call: Call) => void;
  /** Every failed creation comes here; only those for want of an address open it. */
  readonly note: (error: ProviderError) => void;
  /** A creation went well. */
  readonly close: () => void;
}

const OPENS_AT = 2;
const FIRST_MS = 60_000;
const LONGEST_MS = 3_600_000;
const ROWS: ReadonlySet<string> = new Set(["no-address", "no-network"]);

/**
 * Opens at the second failure in a row, since one may be bad luck; after each further one it stays open twice as long. When
 * its time is over, the next creation tries.
 */
export function breaker(clock: Clock): Breaker {
  let failures = 0;
  let until = 0;
  return {
    assertClosed: ({ operation }) => {
      const left = until - clock.now();
      if (left <= 0) return;
      const seconds = Math.ceil(left / 1000);
      throw refusal(
        "CAPACITY_ERROR",
        operation,
        `OrbStack had no address for the last machine: nothing is created for ${seconds} s. ${ADDRESS_HINT}`,
        { hint: ADDRESS_HINT, scope: "provider", retryAfterMs: left },
      );
    },
    note: ({ native }) => {
      if (!ROWS.has(String(native?.code))) return;
      failures += 1;
      if (failures >= OPENS_AT) until = clock.now() + Math.min(LONGEST_MS, FIRST_MS * 2 ** (failures - OPENS_AT));
    },
    close: () => {
      failures = 0;
      until = 0;
    },
  };
}
