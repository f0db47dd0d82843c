import { StoreError } from "@slipway/control";
import { type Answers, answersOf, type PostgresPool, quoted } from "./pool.ts";

/** One change of the schema, as plain SQL: apply it with whatever applies your other ones. */
export interface Migration {
  readonly version: number;
  readonly sql: string;
}

/**
 * Every migration in order, for a schema of this name. Each is one transaction and records its own version; each may be
 * repeated. `applyMigrations` does the same; so does `psql`.
 *
 * @example
 * ```ts
 * migrationsFor("slipway").length > 0; // => true
 * ```
 */
export function migrationsFor(schema = "slipway"): readonly Migration[] {
  const name = quoted(schema);
  const first = `begin;
create schema if not exists ${name};
create table if not exists ${name}.migration (
  version integer primary key,
  applied timestamptz not null default clock_timestamp()
);
-- "text": jsonb refuses the character U+0000 and changes the order of names. "C": ids are compared by their bytes.
create table if not exists ${name}.record (
  id text collate "C" primary key,
  kind text not null,
  provider text,
  account text,
  owner text,
  state text not null,
  record text not null,
  written timestamptz not null default clock_timestamp()
);
create index if not exists record_by_owner on ${name}.record (provider, account, owner, id);
-- A lease whose time is over is free, whoever stands in it. The time is this server's alone.
create table if not exists ${name}.lease (
  id text collate "C" primary key,
  token uuid not null,
  holder text not null,
  expires timestamptz not null
);
insert into ${name}.migration (version) values (1) on conflict do nothing;
commit;
`;
  const steps = `begin;
-- What a run adds to its record, until the record is written anew: an append, and no rewrite of the whole.
create table if not exists ${name}.step (
  id text collate "C" not null,
  n bigint generated always as identity,
  step text not null,
  primary key (id, n)
);
insert into ${name}.migration (version) values (2) on conflict do nothing;
commit;
`;
  return [
    { version: 1, sql: first },
    { version: 2, sql: steps },
  ];
}

/** The newest version that this package knows. */
export const SCHEMA_VERSION: number = migrationsFor().length;

export interface SchemaOptions {
  /** Of the tables; "slipway" if absent. */
  readonly schema?: string | undefined;
}

/**
 * Applies the migrations that are missing. Safe to call from several hosts at once. Resolves with their versions.
 *
 * @example
 * ```ts
 * import { Pool } from "pg";
 *
 * const applied = await applyMigrations(new Pool({ connectionString: process.env["DATABASE_URL"] }));
 * console.log("applied", applied);
 * ```
 */
export async function applyMigrations(pool: PostgresPool, options: SchemaOptions = {}): Promise<readonly number[]> {
  const answers = answersOf(pool);
  const applied: number[] = [];
  const { version } = await schemaState(answers, options.schema);
  for (const migration of migrationsFor(options.schema)) {
    if (migration.version <= version) continue;
    await applyOne(answers, migration, options.schema);
    applied.push(migration.version);
  }
  return applied;
}

// Two that create the same name at once: one of them may fail though the name was not there when it looked.
const MOST_ROUNDS = 5;

async function applyOne(answers: Answers, { version, sql }: Migration, schema: string | undefined): Promise<void> {
  for (let round = 1; ; round += 1) {
    try {
      // Without values, so that it may hold several statements; sent as one, it needs no session of its own.
      await answers(sql.replace(/^begin;|commit;\s*$/gm, ""));
      return;
    } catch (error) {
      const state = await schemaState(answers, schema).catch(() => undefined);
      if (state !== undefined && state.version >= version) return;
      if (round >= MOST_ROUNDS) throw error;
    }
  }
}

/** How a database stands to this package. */
export interface SchemaState {
  /** 0 where there is nothing yet. */
  readonly version: number;
  readonly needed: number;
  readonly state: "current" | "missing" | "outdated" | "newer";
}

/**
 * Looks, and changes nothing: for a check before a deployment, as `slipway doctor` makes it.
 *
 * @example
 * ```ts
 * import { Pool } from "pg";
 *
 * console.log(await checkSchema(new Pool({ connectionString: process.env["DATABASE_URL"] })));
 * ```
 */
export async function checkSchema(pool: PostgresPool, options: SchemaOptions = {}): Promise<SchemaState> {
  return schemaState(answersOf(pool), options.schema);
}

const CONNECT_MS = 10_000;

/**
 * As `checkSchema`, on a connection of its own: what `slipway doctor` calls.
 *
 * @example
 * ```ts
 * console.log(await checkDatabase(process.env["DATABASE_URL"] ?? "postgres://localhost/slipway"));
 * ```
 */
export async function checkDatabase(connectionString: string, options: SchemaOptions = {}): Promise<SchemaState> {
  const { default: pg } = await import("pg");
  const pool = new pg.Pool({ connectionString, max: 1, connectionTimeoutMillis: CONNECT_MS });
  pool.on("error", () => undefined);
  try {
    return await checkSchema(pool, options);
  } finally {
    await pool.end();
  }
}

async function schemaState(answers: Answers, schema = "slipway"): Promise<SchemaState> {
  const needed = SCHEMA_VERSION;
  const [there] = await answers("select to_regclass($1) is not null as there", [`${quoted(schema)}.migration`]);
  if (there?.["there"] !== true) return { version: 0, needed, state: "missing" };
  const [row] = await answers(`select coalesce(max(version), 0) as version from ${quoted(schema)}.migration`);
  const version = Number(row?.["version"]);
  return { version, needed, state: version === needed ? "current" : version > needed ? "newer" : "outdated" };
}

/** Throws where the database cannot be used as it is. */
export async function mustBeCurrent(answers: Answers, schema: string): Promise<void> {
  const { state, version, needed } = await schemaState(answers, schema);
  if (state === "current") return;
  if (state === "newer") {
    throw new StoreError("FORMAT", {
      message: `the schema ${schema} has version ${version}; this package knows ${needed}`,
      hint: "Update @slipway/store-postgres here to the version that is used elsewhere.",
    });
  }
  throw new StoreError("UNUSABLE", {
    message: `the schema ${schema} has version ${version}, and version ${needed} is needed`,
    hint: "Apply the migrations of @slipway/store-postgres: `await applyMigrations(pool)`, or the SQL of migrationsFor().",
  });
}
