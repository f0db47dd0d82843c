import { printableJson, printableLines } from "./printable.ts";
import type { Secrets } from "./redaction.ts";
import { type Style, styleFor } from "./style.ts";
import { type Column, formatFields, formatTable } from "./table.ts";
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
