/** A file of the host: the last point that it came to. */
export const POINT_FILE = "point";

/** One run of a flow on an engine, whose host was killed at a point of it. */
export interface Kill {
  readonly engine: string;
  readonly flow: string;
  /** The failpoint, as `ran:launch in us-east-1a`; null where the run ended before it came to its point. */
  readonly point: string | null;
  /** Was the engine's own server killed with it? */
  readonly withEngine: boolean;
  /** What is there after it and belongs to no output: instances, volumes, templates. */
  readonly leaked: readonly string[];
  readonly leftovers: number;
  readonly ms: number;
}

/** The moments of a run at which its host is killed. */
const MOMENTS = ["before", "ran", "after", "undo-before", "undo-ran", "undo-after"] as const;
const HEAD = ["engine", "flow", "server", ...MOMENTS, "leaked", "leftovers", "longest s"];

const momentOf = ({ point }: Kill): string | undefined => point?.slice(0, point.indexOf(":"));

/** A line for each flow on each engine: how often it was killed at which moment, and what was left. */
export function tableOf(kills: readonly Kill[]): string {
  const groups = Map.groupBy(kills, ({ engine, flow, withEngine }) => `${engine} ${flow} ${withEngine}`);
  const lines = [...groups.values()].map((group) => {
    const [{ engine, flow, withEngine }] = group as [Kill];
    const counts = MOMENTS.map((moment) => group.filter((kill) => momentOf(kill) === moment).length);
    const leaked = group.flatMap((kill) => kill.leaked).length;
    const leftovers = group.reduce((sum, kill) => sum + kill.leftovers, 0);
    const longest = (Math.max(...group.map(({ ms }) => ms)) / 1000).toFixed(1);
    return [engine, flow, withEngine ? "killed" : "lives", ...counts, leaked, leftovers, longest].map(String);
  });
  const widths = HEAD.map((name, column) => Math.max(name.length, ...lines.map((line) => line[column]?.length ?? 0)));
  const killed = kills.filter(({ point }) => point !== null).length;
  return [
    ...[HEAD, ...lines].map((line) =>
      line
        .map((cell, column) => (column < 3 ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0)))
        .join("  ")
        .trimEnd(),
    ),
    `${killed} kills in ${kills.length} runs`,
  ].join("\n");
}
