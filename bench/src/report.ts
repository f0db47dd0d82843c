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

/** What was aimed at, and what came out. */
export interface Aim {
  readonly aim: string;
  readonly limit: number;
  readonly value: number;
  readonly met: boolean;
}

export interface Suite {
  readonly title: string;
  readonly unit: "ns" | "ms";
  readonly rows: readonly Row[];
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
export function tableOf({ title, unit, rows, aims, notes }: Suite): string {
  const cells = [
    ["", `median ${unit}`, "least", "over", "ratio"],
    ...rows.map((row) => [row.name, shown(row.median), shown(row.least), shown(row.over), shown(row.ratio)]),
  ];
  const widths = [0, 1, 2, 3, 4].map((column) => Math.max(...cells.map((line) => line[column]?.length ?? 0)));
  const lines = cells.map((line) =>
    line
      .map((cell, column) => (column === 0 ? cell.padEnd(widths[0] ?? 0) : cell.padStart(widths[column] ?? 0)))
      .join("  "),
  );
  const verdicts = aims.map(({ aim, value, limit, met }) => {
    return `${met ? "met   " : "missed"}  ${aim}: ${shown(value)} ${unit}, limit ${shown(limit)}`;
  });
  return [
    title,
    ...lines.map((line) => `  ${line.trimEnd()}`),
    ...[...verdicts, ...notes].map((line) => `  ${line}`),
  ].join("\n");
}

function shown(value: number | undefined): string {
  if (value === undefined) return "";
  return Math.abs(value) >= 100 ? value.toFixed(0) : Math.abs(value) >= 10 ? value.toFixed(1) : value.toFixed(2);
}
