import type { Instance, InstanceStatus } from "@slipway/core";

/** Fields of which each is there only if it holds something. */
export type Present<T> = { readonly [K in keyof T]?: Exclude<T[K], undefined> };

/**
 * The fields that hold something: those that are undefined or an empty text are left out.
 *
 * @example
 * ```ts
 * present({ image: "debian", spec: undefined, region: "" }); // => { image: "debian" }
 * ```
 */
export function present<const T extends object>(fields: T): Present<T> {
  const held = Object.entries(fields).filter(([, value]) => value !== undefined && value !== "");
  // Of the same names and values, less those that hold nothing.
  return Object.fromEntries(held) as Present<T>;
}

/**
 * An amount in another unit; undefined for none, and for 0 and less, which a remote writes where it does not know.
 *
 * @example
 * ```ts
 * positive(2, 1024); // => 2048
 * positive(0); // => undefined
 * ```
 */
export function positive(amount: number | undefined, unit = 1): number | undefined {
  return amount === undefined || amount <= 0 ? undefined : amount * unit;
}

/**
 * A remote's time as the contract writes times; null for what is no time.
 *
 * @example
 * ```ts
 * utcTime("2026-11-30T13:00:00+01:00"); // => "2026-11-30T12:00:00.000Z"
 * utcTime(undefined); // => null
 * ```
 */
export function utcTime(text: string | undefined): string | null {
  const time = Date.parse(text ?? "");
  return Number.isNaN(time) ? null : new Date(time).toISOString();
}

/** What one of the remote's words for a status means; the reason where the word alone does not explain it. */
export type StatusRow = InstanceStatus | { readonly status: InstanceStatus; readonly reason: string };

export interface StatusTable {
  /** `unknown` for a word that the table does not have. */
  readonly statusOf: (word: string) => InstanceStatus;
  /** An instance's `statusReason`. */
  readonly reasonOf: (word: string) => Instance["statusReason"];
}

/**
 * The remote's words for a status, and what each of them means.
 *
 * @example
 * ```ts
 * const states = statusTable({ up: "running", lost: { status: "unknown", reason: "no contact" } });
 * states.statusOf("up"); // => "running"
 * states.reasonOf("lost"); // => { code: "lost", message: "no contact" }
 * ```
 */
export function statusTable(rows: Readonly<Record<string, StatusRow>>): StatusTable {
  const table = new Map(Object.entries(rows));
  const rowOf = (word: string) => {
    const row = table.get(word) ?? "unknown";
    return typeof row === "string" ? { status: row, reason: undefined } : row;
  };
  return {
    statusOf: (word) => rowOf(word).status,
    reasonOf: (word) => {
      const { reason } = rowOf(word);
      return reason === undefined ? undefined : { code: word, message: reason };
    },
  };
}
