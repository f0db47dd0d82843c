import { timed } from "./measure.ts";
import { atMost, type Growth, type Suite } from "./report.ts";

/** One piece of work at three sizes, each ten times the one before. */
export interface Work {
  readonly name: string;
  readonly unit: string;
  /** The largest size; the others are a tenth and a hundredth of it. */
  readonly size: number;
  /** The same without what is measured: each caller for itself, the whole record each time. At the largest size. */
  readonly bare?: { readonly name: string; readonly run: (size: number) => Promise<number> };
  /** Does it, and resolves to what it took. Absent unit "ms": see `inMilliseconds`. */
  readonly run: (size: number) => Promise<number>;
  /** The most that it may take at the largest size, where it is a count: a count is the same on every machine. */
  readonly most?: number;
}

const STEEPEST = 1.1;

/** Work that is measured in time: the least of three. */
export function inMilliseconds(name: string, size: number, work: (size: number) => Promise<unknown>): Work {
  const run = async (many: number): Promise<number> => {
    const taken: number[] = [];
    for (let round = 0; round < 3; round += 1) taken.push(await timed(() => work(many)));
    return Math.min(...taken);
  };
  return { name, unit: "ms", size, run };
}

/** How each work grows, and what it takes at its largest, beside the bare way. */
export async function growthOf(title: string, works: readonly Work[], quick: boolean): Promise<Suite> {
  const growth: Growth[] = [];
  const aims: Suite["aims"][number][] = [];
  for (const { name, unit, size, bare, run, most } of works) {
    const isCount = unit !== "ms";
    // A count is the same on every machine, and its aim is one for its size: a quick run counts as much as a long one.
    const largest = quick && !isCount ? size / 10 : size;
    const sizes = [largest / 100, largest / 10, largest].map(Math.ceil);
    const taken: number[] = [];
    for (const each of sizes) taken.push(await run(each));
    const [, middle = 0, last = 0] = taken;
    const exponent = last === 0 || middle === 0 ? 0 : Math.log10(last / middle);
    const other = bare === undefined || quick ? undefined : { name: bare.name, taken: await bare.run(largest) };
    growth.push({ name, unit, sizes, taken, exponent, ...(other === undefined ? {} : { bare: other }) });
    if (isCount && most !== undefined) aims.push({ ...atMost(`${name}, ${unit}`, last, most), isCount });
    // Time is shown, and is no aim where it is too short to be measured.
    if (isCount) aims.push({ ...atMost(`${name}, exponent`, exponent, STEEPEST), isCount });
  }
  return { title, unit: "", rows: [], growth, aims, notes: [] };
}
