import type { JobResult } from "@slipway/reach";

/** What is needed of `pg`. */
export interface Database {
  readonly query: (query: { text: string; values?: unknown[] }) => Promise<{ rows: unknown[] }>;
}

export interface Job {
  readonly key: string;
  readonly argv: readonly string[];
}

/**
 * The table of a team's own. What runs where is the store's to know; this one says what is wanted and what came of it. It takes
 * nothing that no machine could run: such a job would be open for ever, and a drain would not end.
 */
const TABLE = `create table if not exists job (
  key text primary key,
  place text not null,
  argv json not null check (json_typeof(argv) = 'array'
    and jsonb_path_exists(argv::jsonb, '$[0] ? (@ != "")')
    and not jsonb_path_exists(argv::jsonb, 'strict $[*] ? (@.type() != "string")', '{}', true)),
  result json,
  finished timestamptz
)`;

/** The jobs of one place. */
export class Jobs {
  readonly #database: Database;
  readonly #place: string;

  constructor(database: Database, place: string) {
    this.#database = database;
    this.#place = place;
  }

  static async prepare(database: Database): Promise<void> {
    await database.query({ text: TABLE });
  }

  /** Adding a job again changes nothing. */
  async add({ key, argv }: Job): Promise<void> {
    const text = "insert into job (key, place, argv) values ($1, $2, $3) on conflict do nothing";
    await this.#database.query({ text, values: [key, this.#place, JSON.stringify(argv)] });
  }

  /** Some that have no result, in an order of chance: so that the controllers rarely ask for the same ones. */
  async open(most: number): Promise<readonly Job[]> {
    const text = "select key, argv from job where place = $1 and result is null order by random() limit $2";
    const { rows } = await this.#database.query({ text, values: [this.#place, most] });
    // As `add` wrote them.
    return rows as readonly Job[];
  }

  /** The first result stays. */
  async finish(key: string, result: object): Promise<void> {
    const text = "update job set result = $2, finished = now() where key = $1 and result is null";
    await this.#database.query({ text, values: [key, JSON.stringify(result)] });
  }
}

/** What the table keeps of a job's end; null while another call may bring one. */
export function finalResult(result: JobResult): object | null {
  if (result.state === "done") {
    // Its machine was not given back, and the pool would keep it for this job. The next call has the stored result, and gives it back.
    if (result.leftover !== undefined && result.storeError === undefined) return null;
    return { ...result.result, repeated: result.repeated };
  }
  // Begun twice, and nobody saw an end: it is not run a third time, so that a person must look.
  const { error, repeated } = result;
  const code: unknown = error instanceof Error ? Reflect.get(error, "code") : undefined;
  return repeated && code === "CONFLICT" ? { error: String(error) } : null;
}
