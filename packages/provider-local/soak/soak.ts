// `soak.ts --count N --seed S`: kills spawning processes with SIGKILL, N times at each named failpoint and 5 N times at
// moments spread evenly over a measured run, repeats each command, and looks at the machine itself whether exactly one
// instance is there, and nothing once it is terminated.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { parseArgs } from "node:util";
import { seededRandom } from "@slipway/provider-kit/emulator";
import { detectIsolation } from "@slipway/provider-kit/sandbox";
import { FAILPOINTS } from "../src/failpoint.ts";
import { local } from "../src/index.ts";
import { look, wrongWith } from "./inspector.ts";
import { soakRequest } from "./soak-request.ts";
import { startVictim } from "./victim.ts";

const MOMENTS_PER_COUNT = 5;
const FEWEST_HITS = 5;
const MEASURED_RUNS = 5;

const { count, seed } = settings();

const owner = `soak-${process.pid}-${seed}`;
const stateDirectory = mkdtempSync(join(tmpdir(), "slipway-soak-"));
const provider = local({ owner, stateDirectory });
const random = seededRandom(seed);
const hits = new Map<string, { named: number; moment: number }>(
  [...FAILPOINTS, "finished"].map((name) => [name, { named: 0, moment: 0 }]),
);
const failures: string[] = [];
let keys = 0;

/** The same command again, and the machine's own word on it. */
async function repeatAndJudge(key: string, what: string): Promise<void> {
  const { id } = await provider.spawn(soakRequest(key));
  const listed = await provider.list({ keys: [key] });
  const wrong =
    wrongWith(look(stateDirectory, owner), id) ??
    (listed.length === 1 && listed[0]?.id === id ? null : `list shows ${listed.length} instances of the key`);
  if (wrong !== null) failures.push(`${what}: after the repeat ${wrong}`);
  await provider.terminate(id);
  const left = wrongWith(look(stateDirectory, owner), null);
  if (left !== null) failures.push(`${what}: after terminate ${left}`);
}

async function killAtFailpoint(name: string): Promise<void> {
  const key = `named ${keys++}`;
  const { step, killed, said } = await startVictim(stateDirectory, owner, key, name).ended;
  if (!killed) failures.push(`${name}: the process was not killed there (last step ${step}): ${said}`);
  else tally(name, "named");
  await repeatAndJudge(key, name);
}

async function killAtMoment(delayMs: number): Promise<void> {
  const key = `moment ${keys++}`;
  const victim = startVictim(stateDirectory, owner, key, "trace");
  await victim.ready;
  await pause(delayMs);
  victim.child.kill("SIGKILL");
  const { step, killed } = await victim.ended;
  const where = killed ? step : "finished";
  tally(where, "moment");
  await repeatAndJudge(key, `${delayMs.toFixed(1)} ms (${where})`);
}

function tally(step: string, kind: "named" | "moment"): void {
  const row = hits.get(step);
  if (row !== undefined) row[kind] += 1;
}

async function measure(): Promise<number> {
  const lived: number[] = [];
  for (let run = 0; run < MEASURED_RUNS; run++) {
    const key = `measure ${run}`;
    const { livedMs, said } = await startVictim(stateDirectory, owner, key, "trace").ended;
    if (!said.includes("done\n")) throw new Error(`an undisturbed run failed:\n${said}`);
    lived.push(livedMs);
    await repeatAndJudge(key, "undisturbed");
  }
  return lived.sort((a, b) => a - b)[Math.floor(MEASURED_RUNS / 2)] ?? 0;
}

const { isolation } = await detectIsolation();
console.log(`soak of local: isolation ${isolation}, count ${count}, seed ${seed}`);
const runMs = await measure();
const moments = count * MOMENTS_PER_COUNT;
console.log(`an undisturbed run takes ${runMs.toFixed(0)} ms; ${moments} moments are spread over it`);
for (const name of FAILPOINTS) for (let i = 0; i < count; i++) await killAtFailpoint(name);
for (let i = 0; i < moments; i++) await killAtMoment((runMs * (i + random.next())) / moments);

console.log("step                named  moments");
for (const [step, { named, moment }] of hits) {
  console.log(`${step.padEnd(18)} ${String(named).padStart(6)} ${String(moment).padStart(8)}`);
  if (step !== "finished" && count >= FEWEST_HITS && named + moment < FEWEST_HITS) {
    failures.push(`${step} was hit ${named + moment} times, and at least ${FEWEST_HITS} are needed`);
  }
}
rmSync(stateDirectory, { recursive: true, force: true });
for (const failure of failures) console.error(`FAILED ${failure}`);
console.log(failures.length === 0 ? `soak passed: ${keys + MEASURED_RUNS} keys` : `soak failed: ${failures.length}`);
process.exitCode = failures.length === 0 ? 0 : 1;

function settings(): { readonly count: number; readonly seed: number } {
  try {
    const options = { count: { type: "string", default: "20" }, seed: { type: "string", default: "1" } } as const;
    const { values } = parseArgs({ options });
    const [count, seed] = [Number(values.count), Number(values.seed)];
    if (Number.isInteger(count) && count >= 1 && Number.isInteger(seed)) return { count, seed };
  } catch {
    // An option that is not known: the usage says which are.
  }
  console.error("usage: soak --count <whole number of at least 1> --seed <whole number>");
  process.exit(2);
}
