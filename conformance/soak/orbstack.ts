// `orbstack.ts --seeds N --operations N --from N`: so many storms over the provider in this process, each from its seed.
// Prints what was placed, and ends with 1 if anything was wrong, or a kind of trouble never came.
import { parseArgs } from "node:util";
import { storm } from "./orbstack-storm.ts";
import { allKinds } from "./orbstack-trouble.ts";

const { values } = parseArgs({
  options: {
    seeds: { type: "string", default: "200" },
    operations: { type: "string", default: "50" },
    from: { type: "string", default: "1" },
  },
});
const [seeds, operations, from] = [Number(values.seeds), Number(values.operations), Number(values.from)];
if (![seeds, operations, from].every((each) => Number.isSafeInteger(each) && each > 0)) {
  throw new TypeError("--seeds, --operations and --from are whole numbers above 0");
}

void main();

async function main(): Promise<void> {
  const totals = new Map(allKinds().map((kind) => [kind, 0]));
  const began = performance.now();
  let [calls, failures, bad] = [0, 0, 0];
  for (let seed = from; seed < from + seeds; seed += 1) {
    const report = await storm(seed, operations);
    for (const [kind, count] of report.placed) totals.set(kind, (totals.get(kind) ?? 0) + count);
    calls += report.calls;
    failures += report.failures;
    bad += report.wrong.length;
    for (const each of report.wrong) console.log(`seed ${seed}: ${each}`);
    if (seed % 20 === 0) console.log(`… seed ${seed}`);
  }
  const seconds = Math.round((performance.now() - began) / 1000);
  for (const [kind, count] of totals) console.log(`${String(count).padStart(7)}  ${kind}`);
  const never = [...totals].filter(([, count]) => count === 0).map(([kind]) => kind);
  console.log(`${seeds} seeds, ${calls} calls, ${failures} failed as they should, ${bad} wrong, ${seconds} s`);
  if (never.length > 0) console.log(`never placed: ${never.join(", ")}`);
  process.exitCode = bad > 0 || never.length > 0 ? 1 : 0;
}
