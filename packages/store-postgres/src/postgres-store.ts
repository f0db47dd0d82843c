import { hostname } from "node:os";
import {
  type EntryFilter,
  matchesFilter,
  parseRecordRow,
  type RowContent,
  recordColumns,
  recordText,
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
 *
 * @example
 * ```ts
 * import { launch } from "@slipway/control";
 * import { Pool } from "pg";
 *
 * const database = new Pool({ connectionString: process.env["DATABASE_URL"] });
 * await launch(provider, { key: "worker-1", spec: "m1.small" }, { store: postgresStore(database) });
 * ```
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

  // Records under leases of this object that take steps, for sure.
  const takesSteps = new Set<string>();
  const rowOf = async (id: string): Promise<RowContent | null> => {
    await ready();
    const [row] = await answers(sql.read, [id]);
    return row === undefined ? null : parseRecordRow(row["record"], row["steps"]);
  };
  const write = async (id: string, record: StoredRecord): Promise<void> => {
    await fenced(id, sql.write, ...recordColumns(record), recordText(record));
    if (record.kind === "run") takesSteps.add(id);
  };

  return {
    acquire: async (id) => {
      await ready();
      const token = crypto.randomUUID();
      const sentAt = held.now();
      const rows = await answers(sql.acquire, [id, token, HOLDER, leaseMs]);
      if (rows.length === 0) return null;
      takesSteps.delete(id);
      return held.add(id, token, sentAt);
    },
    read: async (id) => {
      const content = await rowOf(id);
      if (content === null) return null;
      if ("fault" in content) throw unreadable([id], content.fault);
      return content.record;
    },
    write,
    appendStep: async (id, step) => {
      if (held.tokenOf(id) !== undefined && !takesSteps.has(id)) {
        const content = await rowOf(id);
        if (content === null || "fault" in content) throw unreadable([id], content?.fault ?? "CORRUPT");
        if (!content.takesSteps) await write(id, content.record);
        takesSteps.add(id);
      }
      await fenced(id, sql.append, JSON.stringify(step));
    },
    remove: async (id) => {
      takesSteps.delete(id);
      await fenced(id, sql.remove);
    },
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
  readonly append: string;
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
  // One text for all steps of a run: what JSON writes holds no line end.
  const withSteps = `id, record, case kind when 'run' then
    (select string_agg(step, E'\\n' order by n) from ${schema}.step where step.id = record.id) end as steps`;
  return {
    acquire: `insert into ${schema}.lease as held (id, token, holder, expires) values ($1, $2::uuid, $3, ${end("$4")})
      on conflict (id) do update set token = excluded.token, holder = excluded.holder, expires = ${end("$4")}
      where held.expires <= clock_timestamp() or held.token = excluded.token returning id`,
    renew: `update ${schema}.lease as held set expires = ${end("$3")}
      from unnest($1::text[], $2::uuid[]) as mine (id, token)
      where held.id = mine.id and held.token = mine.token and held.expires > clock_timestamp() returning held.id`,
    // Without a flush: a crash of the server that undoes it leaves a lease that expires.
    release: `delete from ${schema}.lease where id = $1 and token::text = $2
      and set_config('synchronous_commit', 'off', true) is not null`,
    read: `select ${withSteps} from ${schema}.record where id = $1`,
    write: `with ${own}, cleared as (delete from ${schema}.step where id in (select id from own))
      insert into ${schema}.record (id, kind, provider, account, owner, state, record)
      select own.id, $3, $4, $5, $6, $7, $8 from own
      on conflict (id) do update set kind = excluded.kind, provider = excluded.provider, account = excluded.account,
        owner = excluded.owner, state = excluded.state, record = excluded.record, written = clock_timestamp()
      returning id`,
    append: `with ${own} insert into ${schema}.step (id, step) select own.id, $3 from own returning id`,
    remove: `with ${own}, cleared as (delete from ${schema}.step where id in (select id from own)),
      gone as (delete from ${schema}.record where id in (select id from own)) select id from own`,
    page: `select ${withSteps} from ${schema}.record where id > $1
      and ($2::text is null or kind = $2) and ($3::text is null or provider = $3) and ($4::text is null or account = $4)
      and ($5::text is null or owner = $5) and ($6::text[] is null or state = any ($6))
      order by id limit ${PAGE}`,
  };
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
      const parsed = parseRecordRow(row["record"], row["steps"]);
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
