import type { TextSink, World } from "./world.ts";

/** What a command says: results on stdout, everything else on stderr. */
export class Output {
  readonly json: boolean;
  readonly style: Style;
  readonly noteStyle: Style;
  readonly #world: World;
  readonly #secrets: Secrets;

  constructor(world: World, json: boolean, secrets: Secrets) {
    this.#world = world;
    this.json = json;
    this.#secrets = secrets;
    this.style = styleFor(world.stdout, world.env);
    this.noteStyle = styleFor(world.stderr, world.env);
  }

  /** The one JSON document of a command. */
  document(value: unknown): void {
    this.#world.stdout.write(
      `${printableJson(JSON.stringify(value, null, this.#world.stdout.isTTY ? 2 : undefined))}\n`,
    );
  }

  /** One of several JSON documents, a line each. */
  line(value: unknown): void {
    this.#world.stdout.write(`${printableJson(JSON.stringify(value))}\n`);
  }

  /** As it is: what a command inside an instance printed, or a rendered script. */
  raw(text: string): void {
    this.#world.stdout.write(text);
  }

  /**
   * Lines that a remote wrote: on a terminal nothing in them moves the cursor, sets the title or answers in the user's
   * name; a file or a program gets them as they are.
   */
  remote(text: string): void {
    this.#world.stdout.write(this.#world.stdout.isTTY ? printableLines(text) : text);
  }

  rawError(text: string): void {
    this.#world.stderr.write(text);
  }

  /** A result for people. */
  text(line: string): void {
    this.#world.stdout.write(`${printableLines(this.#secrets.redact(line))}\n`);
  }

  /** A list: with `--json` its items, else a table; an empty one says so beside the results. */
  list<Row>(rows: readonly Row[], columns: readonly Column<Row>[], nothing: string): void {
    if (this.json) this.document(rows);
    else if (rows.length === 0) this.note(nothing);
    else this.#world.stdout.write(formatTable(rows, columns, this.style));
  }

  fields(fields: readonly (readonly [string, string | undefined])[]): void {
    this.#world.stdout.write(formatFields(fields, this.style));
  }

  /** For people, beside the results; with `--json` it is left out. */
  note(line: string): void {
    if (!this.json) this.#world.stderr.write(`${printableLines(this.#secrets.redact(line))}\n`);
  }
}

/** One column: its heading, a row's text, and the colour that says what it means. */
export interface Column<Row> {
  readonly title: string;
  readonly text: (row: Row) => string;
  readonly tone?: ((row: Row) => Tone | undefined) | undefined;
}

/** Aligned columns with a heading. An empty value shows as `-`, so that no column slips into the place of another. */
function formatTable<Row>(rows: readonly Row[], columns: readonly Column<Row>[], style: Style): string {
  const cells = rows.map((row) =>
    columns.map((column) => printable(column.text(row)) || (column === columns.at(-1) ? "" : "-")),
  );
  const widths = columns.map((column, at) =>
    Math.max(column.title.length, ...cells.map((line) => line[at]?.length ?? 0)),
  );
  const pad = (text: string, at: number): string => (at === columns.length - 1 ? text : text.padEnd(widths[at] ?? 0));
  const heading = columns.map((column, at) => style("quiet", pad(column.title, at))).join("  ");
  const lines = rows.map((row, line) =>
    columns
      .map((column, at) => {
        const text = pad(cells[line]?.[at] ?? "", at);
        const tone = column.tone?.(row);
        return tone === undefined ? text : style(tone, text);
      })
      .join("  "),
  );
  return `${[heading, ...lines].map((line) => line.trimEnd()).join("\n")}\n`;
}

/** One thing, a field a line. What is absent has no line. */
function formatFields(fields: readonly (readonly [string, string | undefined])[], style: Style): string {
  const present = fields.flatMap(([name, text]) => (text === undefined || text === "" ? [] : [[name, text] as const]));
  const width = Math.max(...present.map(([name]) => name.length));
  return present.map(([name, text]) => `${style("quiet", name.padEnd(width))}  ${printable(text)}\n`).join("");
}

/** What a remote says must not move the cursor, colour the screen or start a line of its own. */
export function printable(text: string): string {
  return text.replace(/[\x00-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2028\u2029\u2066-\u2069]/g, (character) =>
    character === "\t" || character === "\n" ? " " : `\\x${character.charCodeAt(0).toString(16).padStart(2, "0")}`,
  );
}

/** As `printable`, for text of several lines: they stay lines. */
export function printableLines(text: string): string {
  return text.split("\n").map(printable).join("\n");
}

/** JSON that a terminal shows as it is: what JSON itself leaves alone of control characters is written as an escape. */
export function printableJson(json: string): string {
  return json.replace(
    /[\x7f-\x9f\u200e\u200f\u202a-\u202e\u2028\u2029\u2066-\u2069]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}

/** A word as a POSIX shell reads it back; left alone where it needs no quotes. */
function shellWord(text: string): string {
  return /^[A-Za-z0-9_./:=@%+,-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}

/** A command that can be pasted. */
export function shellCommand(words: readonly string[]): string {
  return words.map(shellWord).join(" ");
}

export type Tone = "good" | "bad" | "warn" | "quiet" | "strong";

const FORMATS = { good: "green", bad: "red", warn: "yellow", quiet: "dim", strong: "bold" } as const;

/** Colours a text, or leaves it as it is. */
type Style = (tone: Tone, text: string) => string;

/** Colours only on a terminal, and never against NO_COLOR. */
export function styleFor(sink: TextSink, env: World["env"]): Style {
  const colours = sink.isTTY && (env["NO_COLOR"] ?? "") === "" && env["TERM"] !== "dumb";
  return colours
    ? (tone, text) => process.getBuiltinModule("node:util").styleText(FORMATS[tone], text, { validateStream: false })
    : (_tone, text) => text;
}

/** Shorter values are left alone: `1` or `yes` would blank half of every sentence, and is no secret. */
const SHORTEST = 6;

/** The secret values of one run, which must not show on a screen. */
export class Secrets {
  readonly #values = new Set<string>();

  /** Also its lines, since a message may hold one of them, and its form in a JSON document. */
  add(value: string): void {
    for (const part of [value, ...value.split(/\r?\n/)]) {
      if (part.length < SHORTEST) continue;
      this.#values.add(part);
      this.#values.add(JSON.stringify(part).slice(1, -1));
    }
  }

  redact(text: string): string {
    let clean = text;
    // The longest first, so that no rest of a longer one stays behind.
    for (const value of [...this.#values].sort((a, b) => b.length - a.length)) {
      clean = clean.replaceAll(value, "[redacted]");
    }
    return clean;
  }
}
