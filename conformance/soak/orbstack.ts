// `orbstack.ts --seeds N --programs N --operations N --from N`: fault runs over the provider, each from its seed; so many in this
// process on simulated time, and so many with every command a process of its own. Prints what was placed, and ends with 1
// if anything was wrong, or a kind of fault never came.
import { parseArgs } from "node:util";
import { runWithFaults } from "./orbstack-fault-run.ts";
import { allKinds, COMMAND_FAULTS, PROGRAM_FAULTS } from "./orbstack-faults.ts";
import { asPrograms, type FaultWorld, inProcess } from "./orbstack-worlds.ts";

const { values } = parseArgs({
  options: {
    seeds: { type: "string", default: "200" },
    programs: { type: "string", default: "5" },
    operations: { type: "string", default: "50" },
    from: { type: "string", default: "1" },
  },
});
const [seeds, programs, operations, from] = [values.seeds, values.programs, values.operations, values.from].map(Number);
const SAYS_EVERY = 20;

/** How often each kind of fault was placed, over all runs. */
const totals = new Map<string, number>();

async function main(): Promise<boolean> {
  const inside = await runAll("in this process", seeds ?? 0, allKinds(COMMAND_FAULTS), inProcess);
  // So few runs need not show every kind that the many before them do.
  const expected = PROGRAM_FAULTS.map(({ kind }) => kind);
  const outside = await runAll("with programs", programs ?? 0, expected, asPrograms);
  for (const [kind, times] of totals) console.log(`${String(times).padStart(7)}  ${kind}`);
  const never = [...totals].filter(([, times]) => times === 0).map(([kind]) => kind);
  if (never.length > 0) console.log(`never placed: ${never.join(", ")}`);
  return inside && outside && never.length === 0;
}

async function runAll(
  title: string,
  count: number,
  expected: readonly string[],
  worldOf: (seed: number) => FaultWorld | Promise<FaultWorld>,
): Promise<boolean> {
  if (count === 0) return true;
  for (const kind of expected) totals.set(kind, totals.get(kind) ?? 0);
  const began = performance.now();
  let [calls, failures, bad] = [0, 0, 0];
  for (let done = 1; done <= count; done += 1) {
    const seed = (from ?? 1) + done - 1;
    const report = await runWithFaults(await worldOf(seed), seed, operations ?? 0);
    for (const [kind, times] of report.placed) totals.set(kind, (totals.get(kind) ?? 0) + times);
    calls += report.calls;
    failures += report.failures;
    bad += report.wrong.length;
    for (const each of report.wrong) console.log(`seed ${seed}: ${each}`);
    if (done % SAYS_EVERY === 0) console.log(`… ${done} of ${count}`);
  }
  const seconds = Math.round((performance.now() - began) / 1000);
  console.log(`${title}: ${count} seeds, ${calls} calls, ${failures} failed as they may, ${bad} wrong, ${seconds} s`);
  return bad === 0;
}

const numbers = [seeds, programs, operations, from];
if (!numbers.every((each) => Number.isSafeInteger(each) && (each ?? -1) >= 0)) {
  throw new TypeError("--seeds, --programs, --operations and --from are whole numbers");
}
main().then(
  (good) => {
    process.exitCode = good ? 0 : 1;
  },
  (error: unknown) => {
    console.error(error);
    process.exitCode = 1;
  },
);
