import { printable } from "./printable.ts";
import type { Style, Tone } from "./style.ts";

/** One column: its heading, a row's text, and the colour that says what it means. */
export interface Column<Row> {
  readonly title: string;
  readonly text: (row: Row) => string;
  readonly tone?: ((row: Row) => Tone | undefined) | undefined;
}

/** Aligned columns with a heading. An empty value shows as `-`, so that no column slips into the place of another. */
export function formatTable<Row>(rows: readonly Row[], columns: readonly Column<Row>[], style: Style): string {
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
export function formatFields(fields: readonly (readonly [string, string | undefined])[], style: Style): string {
  const present = fields.flatMap(([name, text]) => (text === undefined || text === "" ? [] : [[name, text] as const]));
  const width = Math.max(...present.map(([name]) => name.length));
  return present.map(([name, text]) => `${style("quiet", name.padEnd(width))}  ${printable(text)}\n`).join("");
}
