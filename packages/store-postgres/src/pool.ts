import { isStoreError, StoreError, type StoreErrorCode } from "@slipway/control";

/** What is needed of `pg`: a `Pool` fits, and so does anything else that answers as it does. */
export interface PostgresPool {
  // biome-ignore format: one shape in one line
  readonly query: (query: { text: string; values?: unknown[] }) => Promise<{ rows: unknown[] }>;
}

export type Row = Readonly<Record<string, unknown>>;

/**
 * One statement, and the rows of its answer. Statements have no name: behind a pooler each may meet another connection, and
 * none knows what another one has prepared.
 */
export type Answers = (text: string, values?: readonly unknown[]) => Promise<readonly Row[]>;

const CALL_MS = 15_000;

/** Every failure becomes a StoreError, and no call waits for ever, as on a host that is gone without a word. */
export function answersOf(pool: PostgresPool, callMs: number = CALL_MS): Answers {
  return async (text, values) => {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_resolve, reject) => {
      timer = setTimeout(() => reject(unavailable(`no answer within ${callMs} ms`)), callMs);
    });
    try {
      const query = values === undefined ? { text } : { text, values: [...values] };
      const { rows } = await Promise.race([pool.query(query), late]);
      return rows?.filter(isRow) ?? [];
    } catch (error) {
      throw faultOf(error);
    } finally {
      clearTimeout(timer);
    }
  };
}

/** An identifier as SQL takes it, whatever it holds. */
export function quoted(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

function isRow(row: unknown): row is Row {
  return typeof row === "object" && row !== null;
}

function unavailable(why: string, cause?: unknown): StoreError {
  return new StoreError("UNAVAILABLE", {
    message: `the database cannot be reached: ${why}`,
    hint: "Try again later with the same key; what was sent may have been done.",
    cause,
  });
}

/** SQLSTATE, or its class, -> what the user is told. */
const FAULTS: readonly (readonly [pattern: RegExp, code: StoreErrorCode, says: string, hint: string])[] = [
  // A failover can leave a connection at the server that only follows now.
  [/^25006$/, "READ_ONLY", "the database only reads", "Connect to the server that takes writes."],
  [/^(53100|53200)$/, "FULL", "the server has no space left", "Free some space there, then repeat the same call."],
  [/^(28|42501)/, "NO_ACCESS", "this user has no access", "Grant usage on the schema and its tables to this user."],
  [/^3D000$/, "UNUSABLE", "there is no such database", "Create it, or correct the connection."],
  [/^(42P01|3F000|42703)$/, "UNUSABLE", "its tables are not there", "Apply the migrations: `applyMigrations(pool)`."],
];

// Connections, shutdowns, limits, and transactions that a busy server gives up.
const PASSES = /^(08|53300|53400|57|58|40|55P03|XX000$)/;
const BROKEN = /^(E[A-Z_]+)$/;

function faultOf(error: unknown): StoreError {
  if (isStoreError(error)) return error;
  const code: unknown = typeof error === "object" && error !== null ? Reflect.get(error, "code") : undefined;
  const says = error instanceof Error ? error.message : String(error);
  const state = typeof code === "string" ? code : "";
  // `pg` gives no code where a connection ends in the middle of a query.
  const isBroken = state === "" ? /connection|timeout|terminated/i.test(says) : BROKEN.test(state);
  if (isBroken || PASSES.test(state)) return unavailable(says, error);
  const [, known, meaning, hint] = FAULTS.find(([pattern]) => pattern.test(state)) ?? [
    undefined,
    "IO" as const,
    "the database reports another fault",
    "Look at the cause.",
  ];
  return new StoreError(known, { message: `${meaning}: ${says}`, hint, cause: error });
}
