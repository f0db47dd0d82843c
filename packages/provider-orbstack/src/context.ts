import type { Clock, Logger, ProviderError } from "@slipway/core";
import type { KeyedMutex } from "@slipway/provider-kit/limits";
import type { Call } from "./call.ts";
import type { OrbstackClient } from "./client.ts";
import { ADDRESS_HINT, refusal } from "./errors.ts";
import type { TagReader } from "./tag-reader.ts";

/** What the methods of one provider have in common. */
export interface OrbstackContext {
  readonly owner: string;
  readonly clock: Clock;
  readonly log: Logger;
  readonly client: OrbstackClient;
  readonly tags: TagReader;
  /** One work at a time for each machine. */
  readonly keyedMutex: KeyedMutex;
  /** Creations slow each other down: no more than two at once. */
  readonly making: Queues;
  readonly breaker: Breaker;
  /** For a spawn that names none. */
  readonly image: string;
  readonly isolated: boolean;
}

/** Runs at most so many works at once; the others wait, and who aborts while waiting has done nothing. */
type Queues = <T>(call: Call, work: () => Promise<T>) => Promise<T>;

export function queues(keyedMutex: KeyedMutex, count: number): Queues {
  const waiting = Array.from({ length: count }, () => 0);
  return async (call, work) => {
    const queue = waiting.indexOf(Math.min(...waiting));
    waiting[queue] = (waiting[queue] ?? 0) + 1;
    try {
      return await keyedMutex(`queue ${queue}`, call, work);
    } finally {
      waiting[queue] = (waiting[queue] ?? 1) - 1;
    }
  };
}

/** Keeps creations back while OrbStack has no addresses: each attempt would take half a minute, and may use up another. */
interface Breaker {
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

const ULID = /^[0-9A-HJKMNP-TV-Z]{26}$/;
/** What an ULID's first ten characters count in. */
const ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
const TIME_LENGTH = 10;
const LATEST_MS = Date.UTC(9999, 11, 31);

/** The id of a machine is OrbStack's own: it survives a rename, and no later machine has it. */
export function isMachineId(id: string): boolean {
  return ULID.test(id);
}

/** When it was made: an ULID begins with that. Null for one that says nothing sensible. */
export function timeIn(id: string): string | null {
  if (!isMachineId(id)) return null;
  let ms = 0;
  for (const character of id.slice(0, TIME_LENGTH)) ms = ms * ALPHABET.length + ALPHABET.indexOf(character);
  // Its 48 bits reach further than the years that a time in ISO 8601 has.
  return ms === 0 || ms > LATEST_MS ? null : new Date(ms).toISOString();
}
