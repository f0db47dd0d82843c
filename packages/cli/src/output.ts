import {
  printable,
  printableJson,
  printableLines,
  type Secrets,
  type Style,
  styleFor,
  type Tone,
} from "./printable.ts";
import type { World } from "./world.ts";

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
