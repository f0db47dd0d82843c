import { hostname } from "node:os";
import {
  type EntryFilter,
  isStoredRecord,
  matchesFilter,
  recordFault,
  type Store,
  type StoredRecord,
  type StoreEntry,
  StoreError,
} from "@slipway/control";
import { heldLeases } from "./held-leases.ts";
import { mustBeCurrent } from "./migrations.ts";
import { type Answers, answersOf, type PostgresPool, quoted } from "./pool.ts";

export interface PostgresStoreOptions {
  /** The schema of the tables; "slipway" if absent. Two control planes that share nothing take two schemas. */
  readonly schema?: string | undefined;
  /**
   * How long the lease of a host that is lost stays, milliseconds; 15 000 if absent. A holder that is paused or cut off for
   * longer has lost it. The same for all processes of a schema.
   */
  readonly leaseMs?: number | undefined;
  /** How long one statement may take, milliseconds; a third of `leaseMs`, and 5 000 at most, if absent. */
  readonly statementMs?: number | undefined;
  /** The present, milliseconds on a monotonic clock. For tests. */
  readonly now?: (() => number) | undefined;
  /** For tests. */
  readonly sleep?: ((ms: number, signal: AbortSignal) => Promise<unknown>) | undefined;
}

const LEASE_MS = 15_000;
const PAGE = 1000;

/**
 * A store for the processes of any number of machines, in PostgreSQL. Leases are rows that expire by the server's clock and
 * are renewed while their holder lives; the statement that writes looks at the lease itself, so a late writer changes
 * nothing. Works behind a pooler in transaction mode. The pool stays yours: `close` ends only what the store has begun.
 * Records hold secrets while a launch is open: give no other user access to the schema.
 */
export function postgresStore(pool: PostgresPool, options: PostgresStoreOptions = {}): Store {
  const { schema = "slipway", leaseMs = LEASE_MS } = options;
  const { statementMs = Math.min(leaseMs / 3, 5000), now, sleep } = options;
  const answers = answersOf(pool, statementMs);
  const sql = statementsFor(quoted(schema));
  const held = heldLeases({
    leaseMs,
    ...(now === undefined ? {} : { now }),
    ...(sleep === undefined ? {} : { sleep }),
    renew: async (leases) => {
      const rows = await answers(sql.renew, [[...leases.keys()], [...leases.values()], leaseMs]);
      return new Set(rows.map(({ id }) => String(id)));
    },
  });

  let checked: Promise<void> | undefined;
  const ready = (): Promise<void> => {
    checked ??= mustBeCurrent(answers, schema).catch((error: unknown) => {
      checked = undefined;
      throw error;
    });
    return checked;
  };

  const fenced = async (id: string, text: string, ...values: readonly (string | null)[]): Promise<void> => {
    await ready();
    const token = held.tokenOf(id);
    if (token !== undefined) {
      if ((await answers(text, [id, token, ...values])).length > 0) return;
      held.drop(id, token, "lost");
    }
    throw new StoreError("NOT_HELD", {
      message: `the lease of ${id} is not held`,
      hint: "Take the lease with acquire, and stop what was under way: another process may have begun.",
    });
  };

  return {
    acquire: async (id) => {
      await ready();
      const token = crypto.randomUUID();
      const sentAt = held.now();
      const rows = await answers(sql.acquire, [id, token, HOLDER, leaseMs]);
      return rows.length === 0 ? null : held.add(id, token, sentAt);
    },
    read: async (id) => {
      await ready();
      const [row] = await answers(sql.read, [id]);
      if (row === undefined) return null;
      const parsed = parseRecord(row["record"]);
      if ("fault" in parsed) throw unreadable([id], parsed.fault);
      return parsed.record;
    },
    write: (id, record) => fenced(id, sql.write, ...columnsOf(record), JSON.stringify(record)),
    remove: (id) => fenced(id, sql.remove),
    release: async ({ id, token }) => {
      held.drop(id, token, "released");
      await ready();
      await answers(sql.release, [id, token]);
    },
    entries: (filter) => entriesIn(answers, ready, sql.page, filter),
    exclusion: "expiring",
    close: async () => held.close(),
    whereIs: (id) => `table ${schema}.lease, id ${id}`,
  };
}

// Only for a person who looks at the table.
const HOLDER = `${hostname()} ${process.pid}`;

interface Statements {
  readonly acquire: string;
  readonly renew: string;
  readonly release: string;
  readonly read: string;
  readonly write: string;
  readonly remove: string;
  readonly page: string;
}

/**
 * One statement for each call. `for no key update` makes a takeover wait until the write is done, and makes the write look
 * again at a lease that was taken over while it waited.
 */
function statementsFor(schema: string): Statements {
  const own = `own as (select id from ${schema}.lease
    where id = $1 and token = $2::uuid and expires > clock_timestamp() for no key update)`;
  const end = (ms: string): string => `clock_timestamp() + ${ms}::double precision * interval '1 millisecond'`;
  return {
    acquire: `insert into ${schema}.lease as held (id, token, holder, expires) values ($1, $2::uuid, $3, ${end("$4")})
      on conflict (id) do update set token = excluded.token, holder = excluded.holder, expires = ${end("$4")}
      where held.expires <= clock_timestamp() or held.token = excluded.token returning id`,
    renew: `update ${schema}.lease as held set expires = ${end("$3")}
      from unnest($1::text[], $2::uuid[]) as mine (id, token)
      where held.id = mine.id and held.token = mine.token and held.expires > clock_timestamp() returning held.id`,
    release: `delete from ${schema}.lease where id = $1 and token::text = $2`,
    read: `select record from ${schema}.record where id = $1`,
    write: `with ${own}
      insert into ${schema}.record (id, kind, provider, account, owner, state, record)
      select own.id, $3, $4, $5, $6, $7, $8 from own
      on conflict (id) do update set kind = excluded.kind, provider = excluded.provider, account = excluded.account,
        owner = excluded.owner, state = excluded.state, record = excluded.record, written = clock_timestamp()
      returning id`,
    remove: `with ${own}, gone as (delete from ${schema}.record where id in (select id from own)) select id from own`,
    page: `select id, record from ${schema}.record where id > $1
      and ($2::text is null or kind = $2) and ($3::text is null or provider = $3) and ($4::text is null or account = $4)
      and ($5::text is null or owner = $5) and ($6::text[] is null or state = any ($6))
      order by id limit ${PAGE}`,
  };
}

/** What a filter can ask for, as columns: kind, provider, account, owner, state. */
function columnsOf(record: StoredRecord): readonly (string | null)[] {
  const { kind, state } = record;
  if (record.kind === "run") return [kind, null, null, null, state];
  const { provider = null, account = null, owner } = record.kind === "launch" ? record.identity : record;
  return [kind, provider, account, owner, state];
}

type Fault = "CORRUPT" | "FORMAT";

/** By id, page after page: no transaction stays open between two, and what others write moves no page. */
async function* entriesIn(
  answers: Answers,
  ready: () => Promise<void>,
  page: string,
  filter: EntryFilter = {},
): AsyncGenerator<StoreEntry> {
  await ready();
  const { kind, provider, account, owner, states } = filter;
  const wanted = [kind ?? null, provider ?? null, account ?? null, owner ?? null, states ?? null];
  const unread: { readonly id: string; readonly fault: Fault }[] = [];
  for (let last = ""; ; ) {
    const rows = await answers(page, [last, ...wanted]);
    for (const row of rows) {
      const id = String(row["id"]);
      last = id;
      const parsed = parseRecord(row["record"]);
      if ("fault" in parsed) unread.push({ id, fault: parsed.fault });
      else if (matchesFilter(parsed.record, filter)) yield { id, record: parsed.record };
    }
    if (rows.length < PAGE) break;
  }
  if (unread.length === 0) return;
  const isCorrupt = unread.some(({ fault }) => fault === "CORRUPT");
  throw unreadable(
    unread.map(({ id }) => id),
    isCorrupt ? "CORRUPT" : "FORMAT",
  );
}

function parseRecord(text: unknown): { readonly record: StoredRecord } | { readonly fault: Fault } {
  try {
    const value: unknown = JSON.parse(String(text));
    return isStoredRecord(value) ? { record: value } : { fault: recordFault(value) ?? "CORRUPT" };
  } catch {
    return { fault: "CORRUPT" };
  }
}

function unreadable(ids: readonly string[], fault: Fault): StoreError {
  const those = ids.join(", ");
  if (fault === "FORMAT") {
    return new StoreError("FORMAT", {
      message: `the record ${those} was written by a newer version; it was left as it is`,
      hint: "Update @slipway/control here to the version that is used elsewhere.",
    });
  }
  return new StoreError("CORRUPT", {
    message: `the record ${those} cannot be read; it was left as it is`,
    hint:
      "Restore the row from a backup; or look with `list` which instance it stands for, terminate that, and then delete " +
      "the row. Without its record a second instance could be launched.",
  });
}
