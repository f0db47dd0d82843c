// `npm run bench:profile -- [--at FRACTION] WORK…`: where the CPU time of a work of crowd.ts goes, as text; of its bare way too.
import { Session } from "node:inspector/promises";
import { parseArgs } from "node:util";
import { crowdWorks } from "./crowd.ts";

const MOST_ROWS = 12;

interface Spent {
  readonly where: string;
  readonly ms: number;
}

/** The functions that take the most of the processor in themselves, the largest first. */
async function profiled(
  work: () => Promise<unknown>,
): Promise<{ readonly total: number; readonly rows: readonly Spent[] }> {
  const session = new Session();
  session.connect();
  await session.post("Profiler.enable");
  await session.post("Profiler.start");
  const cpu = process.cpuUsage();
  await work();
  const { user, system } = process.cpuUsage(cpu);
  const { profile } = await session.post("Profiler.stop");
  session.disconnect();
  const names = new Map(
    profile.nodes.map(({ id, callFrame: { functionName, url, lineNumber } }) => [
      id,
      `${functionName || "(anonymous)"} ${url.replace(/^.*\/(packages|bench|node_modules)\//, "$1/")}${url === "" ? "" : `:${lineNumber + 1}`}`,
    ]),
  );
  const spent = new Map<string, number>();
  for (const [at, id] of (profile.samples ?? []).entries()) {
    const where = names.get(id) ?? "?";
    spent.set(where, (spent.get(where) ?? 0) + (profile.timeDeltas?.[at] ?? 0) / 1_000);
  }
  spent.delete("(idle)");
  // The profiler's own.
  for (const where of spent.keys()) if (where.includes("node:inspector")) spent.delete(where);
  const rows = [...spent].map(([where, ms]) => ({ where, ms })).sort((a, b) => b.ms - a.ms);
  return { total: (user + system) / 1_000, rows: rows.slice(0, MOST_ROWS) };
}

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: { at: { type: "string", default: "1" } },
});
for (const name of positionals) {
  const work = crowdWorks.find((each) => each.name === name);
  if (work === undefined) throw new Error(`no such work; there are: ${crowdWorks.map((each) => each.name).join(", ")}`);
  const size = Math.ceil(work.size * Number(values.at));
  for (const [way, run] of [
    ["as it is", work.run],
    [work.bare?.name, work.bare?.run],
  ] as const) {
    if (run === undefined) continue;
    const { total, rows } = await profiled(() => run(size));
    process.stdout.write(`${name}, ${size}, ${way}: ${total.toFixed(0)} ms of CPU\n`);
    for (const { where, ms } of rows) process.stdout.write(`${ms.toFixed(0).padStart(8)} ms  ${where}\n`);
  }
}
