import { median } from "./measure.ts";

export interface Row {
  readonly name: string;
  readonly median: number;
  /** The quickest sample: what is left of it on a machine that has other work. */
  readonly least?: number;
  /** The base is 1; absent where there is nothing to divide by. */
  readonly ratio?: number;
  /** What it takes more than the base. */
  readonly over?: number;
}

/** One work at three sizes, and how steeply it grows: 1 is in proportion, 2 with the square. */
export interface Growth {
  readonly name: string;
  readonly unit: string;
  readonly sizes: readonly number[];
  readonly taken: readonly number[];
  readonly exponent: number;
  /** What the bare way takes at the largest size. */
  readonly bare?: { readonly name: string; readonly taken: number };
}

/** What was aimed at, and what came out. */
export interface Aim {
  /** A count is the same on every machine: one above its aim is a failure. */
  readonly isCount?: boolean;
  readonly aim: string;
  readonly limit: number;
  readonly value: number;
  readonly met: boolean;
}

export interface Suite {
  readonly title: string;
  readonly unit: "ns" | "ms" | "";
  readonly rows: readonly Row[];
  readonly growth?: readonly Growth[];
  readonly aims: readonly Aim[];
  readonly notes: readonly string[];
}

export function rowsOf(samples: ReadonlyMap<string, readonly number[]>, base: string): readonly Row[] {
  const baseline = median(samples.get(base) ?? []);
  return [...samples].map(([name, taken]) => {
    const row = { name, median: median(taken), least: Math.min(...taken) };
    return name === base ? { ...row, ratio: 1 } : { ...row, ratio: row.median / baseline, over: row.median - baseline };
  });
}

export function medianOf(rows: readonly Row[], name: string): number {
  return rows.find((row) => row.name === name)?.median ?? Number.NaN;
}

export function atMost(aim: string, value: number, limit: number): Aim {
  return { aim, limit, value, met: value <= limit };
}

/** The suite as a person reads it. */
export function tableOf({ title, unit, rows, growth = [], aims, notes }: Suite): string {
  const cells =
    growth.length > 0
      ? growthCells(growth)
      : [
          ["", `median ${unit}`, "least", "over", "ratio"],
          ...rows.map((row) => [row.name, shown(row.median), shown(row.least), shown(row.over), shown(row.ratio)]),
        ];
  const widths = (cells[0] ?? []).map((_cell, column) => Math.max(...cells.map((line) => line[column]?.length ?? 0)));
  const lines = cells.map((line) =>
    line
      .map((cell, column) => (column === 0 ? cell.padEnd(widths[0] ?? 0) : cell.padStart(widths[column] ?? 0)))
      .join("  "),
  );
  const verdicts = aims.map(({ aim, value, limit, met, isCount }) => {
    const isPlain = isCount === true || aim.endsWith("ratio");
    return `${met ? "met   " : "missed"}  ${aim}: ${shown(value)} ${isPlain ? "" : unit}, limit ${shown(limit)}`.replace(
      " ,",
      ",",
    );
  });
  return [
    title,
    ...lines.map((line) => `  ${line.trimEnd()}`),
    ...[...verdicts, ...notes].map((line) => `  ${line}`),
  ].join("\n");
}

function growthCells(growth: readonly Growth[]): readonly (readonly string[])[] {
  return [
    ["", "in", "x1", "x10", "x100", "exponent", "bare", "bare / ours"],
    ...growth.map(({ name, unit, sizes, taken, exponent, bare }) => [
      `${name}, ${sizes.at(-1)}`,
      unit,
      ...taken.map(shown),
      exponent.toFixed(2),
      bare === undefined ? "" : `${shown(bare.taken)} (${bare.name})`,
      bare === undefined ? "" : shown(bare.taken / (taken.at(-1) ?? Number.NaN)),
    ]),
  ];
}

function shown(value: number | undefined): string {
  if (value === undefined) return "";
  return Math.abs(value) >= 100 ? value.toFixed(0) : Math.abs(value) >= 10 ? value.toFixed(1) : value.toFixed(2);
}
