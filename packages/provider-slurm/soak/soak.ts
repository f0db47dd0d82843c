// `soak.ts --rounds N --seed S`: four processes spawn one key at once on a real cluster, N times, while clients are killed,
// answers are lost and the controller is stopped or killed. After each round the cluster itself says whether exactly one
// job of the key is released, and the job's own mark whether exactly one ran.
import { mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { parseArgs } from "node:util";
import { memoryStore, reconcile } from "@slipway/control";
import { isProviderError } from "@slipway/core";
import { seededRandom } from "@slipway/provider-kit/emulator";
import { slurm } from "../src/index.ts";
import { readComment } from "../src/ownership.ts";
import { slurmCluster } from "../src/testing/index.ts";
import { FAULTS, type Fault, SEEN, type Seen } from "./faults.ts";
import { type Ask, type Outcome, type Step, Submitter } from "./pool.ts";
import { soakRequest } from "./soak-request.ts";

const SUBMITTERS = 4;
const MESSAGE_TIMEOUT_SECONDS = 2;
/** Both requests of a command have timed out by then. */
const SILENT_MS = 5_000;
const PATIENCE_MS = 60_000;
const ALL_FAULTS_ROUNDS = FAULTS.length;

const { rounds, seed } = settings();
const owner = "soak";
const random = seededRandom(seed);
const cluster = await slurmCluster({ messageTimeoutSeconds: MESSAGE_TIMEOUT_SECONDS });
const directory = join(cluster.directory, "soak");
mkdirSync(directory);
const env = { ...process.env, SLURM_CONF: cluster.slurmConf };
const provider = slurm({ owner, slurmConf: cluster.slurmConf, partition: "main" });
const pool: Submitter[] = [];
const seen = new Map<Seen, number>(SEEN.map((name) => [name, 0]));
const done = new Map<string, number>(FAULTS.map(({ name }) => [name, 0]));
const failures: string[] = [];
let forgotten = 0;
let played = 0;
let endings: Promise<unknown> = Promise.resolve();

const tally = (name: Seen, times = 1): void => void seen.set(name, (seen.get(name) ?? 0) + times);
const upTo = (ms: number): number => random.next() * ms;

interface Shown {
  readonly number: string;
  readonly state: string;
  readonly reason: string;
}

/** The jobs of a key that are not over, past the provider. */
async function jobsOf(key: string): Promise<readonly Shown[]> {
  const text = await cluster.run("squeue", "-h", "-a", "-o", "%i\x1f%T\x1f%r\x1f%k");
  return text.split("\n").flatMap((line) => {
    const [number = "", state = "", reason = "", comment = ""] = line.split("\x1f");
    return readComment(comment)?.ownership.key === key && state !== "COMPLETING" ? [{ number, state, reason }] : [];
  });
}

/** The processes for one round, without those that were killed. */
async function team(): Promise<readonly Submitter[]> {
  pool.splice(0, pool.length, ...pool.filter((one) => !one.isDead));
  while (pool.length < SUBMITTERS) pool.push(new Submitter(env));
  await Promise.all(pool.map(({ ready }) => ready));
  return [...pool];
}

async function play(fault: Fault, ask: Ask): Promise<readonly Outcome[]> {
  const four = await team();
  const victim = Math.floor(upTo(SUBMITTERS));
  let isKilled = false;
  const kill = (withCommands: boolean): void => {
    if (isKilled) return;
    isKilled = true;
    const victims = fault.kill?.who === "all" ? four : four.slice(victim, victim + 1);
    for (const one of victims) one.kill(withCommands);
  };
  const onStep = (index: number) => (step: Step) => {
    if (fault.kill === undefined || step !== fault.kill.at) return;
    if (fault.kill.who === "one" && index !== victim) return;
    const { commandMs } = fault.kill;
    if (commandMs === undefined) kill(false);
    else void pause(upTo(commandMs)).then(() => kill(true));
  };
  const outcomes = Promise.all(
    four.map((one, index) =>
      one.spawn(
        {
          ...ask,
          variant: fault.hasOtherSpec === true && index === SUBMITTERS - 1 ? "other" : ask.variant,
          lossyPath: fault.isLossy === true && index === 0 ? cluster.lossyPath : undefined,
        },
        onStep(index),
      ),
    ),
  );
  const plagued = plague(fault);
  if (fault.kill?.at === "random") await pause(upTo(500)).then(() => kill(random.next() < 0.5));
  await plagued;
  return await outcomes;
}

async function plague({ controller }: Fault): Promise<void> {
  if (controller === undefined) return;
  await pause(upTo(400));
  if (controller === "killed") {
    await cluster.killController();
    await cluster.startController();
    tally("a controller that came back from its saved state");
    return;
  }
  await cluster.pauseController();
  await pause(controller === "silent" ? SILENT_MS : 300 + upTo(700));
  await cluster.resumeController();
  if (controller === "paused") tally("a call that the paused controller delayed");
}

/** The key once more, until it is answered; then the cluster's own word on what there is. */
async function settle(ask: Ask, fault: Fault): Promise<string | undefined> {
  const end = Date.now() + PATIENCE_MS;
  for (;;) {
    try {
      return (await provider.spawn(soakRequest(ask.key, ask.witness, ask.variant))).id;
    } catch (error) {
      if (!isProviderError(error)) throw error;
      if (error.code === "CONFLICT" && fault.hasOtherSpec === true) return undefined;
      if (Date.now() > end) throw error;
      await pause(200);
    }
  }
}

async function playRound(index: number): Promise<void> {
  const fault = FAULTS[index % ALL_FAULTS_ROUNDS] ?? { name: "none" };
  const what = `round ${index} (${fault.name})`;
  const fail = (message: string): void => void failures.push(`${what}: ${message}`);
  const key = `round-${index}`;
  const ask: Ask = { owner, key, witness: join(directory, key), variant: "same" };
  // A controller that is killed forgets its last seconds: those of the rounds before must be over.
  if (fault.controller !== undefined) await endings;
  const outcomes = await play(fault, ask);
  done.set(fault.name, (done.get(fault.name) ?? 0) + 1);
  judgeOutcomes(fault, outcomes, fail);

  const before = await jobsOf(key);
  const held = before.filter(({ reason }) => reason === "JobHeldUser");
  if (outcomes.some(({ kind }) => kind === "killed")) {
    if (held.length > 0) {
      const plan = await reconcile(provider, { store: memoryStore() });
      const found = held.every(({ number }) => plan.items.some(({ instanceId }) => instanceId.includes(`/${number}@`)));
      if (found) tally("a held job left by a killed client, and found by reconcile");
      else fail("reconcile does not find the held job");
    }
  }
  const id = await settle(ask, fault);
  // A submission of a killed client may arrive after the last look: held, it costs nothing, and the next spawn ends it.
  if ((await jobsOf(key)).length > 1) await settle(ask, fault);
  const after = await jobsOf(key);
  const winner = after[0]?.number ?? "none";
  if (after.length !== 1) fail(`${after.length} jobs of the key: ${JSON.stringify(after)}`);
  else if (after[0]?.reason === "JobHeldUser") fail("its only job is still held");
  if (held.some(({ number }) => number === winner)) tally("a held job completed by the next spawn");
  if (before.length > 1) tally("a duplicate cancelled by the election", before.length - 1);

  const answered = new Set(outcomes.flatMap((one) => (one.kind === "spawned" ? [one.id] : [])));
  if (id !== undefined) answered.add(id);
  const strays = [...answered].filter((one) => !one.includes(`/${winner}@`));
  if (fault.controller === "killed") {
    // Whoever was told of a job that the controller then forgot sees that it is gone.
    forgotten += strays.length;
    for (const stray of strays) {
      const now = await provider.get(stray);
      if (now !== null && now.status !== "terminated") fail(`${stray} was answered too, and is ${now.status}`);
    }
  } else if (strays.length > 0) {
    fail(`job ${winner} is there, and other ids were answered: ${strays.join(", ")}`);
  }
  // The job begins while the next round is played.
  const ending = expectMark(ask.witness, winner, fail, fault.controller === "killed").then(() =>
    cluster.run("scancel", winner),
  );
  endings = Promise.all([endings, ending]);
  if (fault.controller !== undefined) await endings;
}

function judgeOutcomes(fault: Fault, outcomes: readonly Outcome[], fail: (message: string) => void): void {
  for (const outcome of outcomes) {
    if (outcome.kind === "killed") tally("a client killed in a spawn");
    if (outcome.kind !== "refused") continue;
    if (fault.hasOtherSpec === true && outcome.code === "CONFLICT") tally("another spec refused");
    else if (fault.isLossy === true) tally("an answer lost, and the job found");
    else if (fault.controller === "silent" && outcome.code === "TIMEOUT") tally("a command that timed out");
    else if (fault.controller === undefined) fail(`a spawn was refused: ${outcome.code}: ${outcome.message}`);
  }
  if (fault.kill === undefined && outcomes.some(({ kind }) => kind === "killed")) fail("a client ended by itself");
}

/** Exactly one job ran. */
async function expectMark(file: string, winner: string, fail: (message: string) => void, mayForget: boolean) {
  const end = Date.now() + PATIENCE_MS;
  for (;;) {
    const marks = linesOf(file);
    if (marks.includes(winner)) {
      if (marks.length !== 1 && !mayForget) fail(`jobs ${marks.join(", ")} ran`);
      return;
    }
    if (Date.now() > end) return fail(`job ${winner} did not run; ran: ${marks.join(", ")}`);
    await pause(50);
  }
}

function linesOf(file: string): readonly string[] {
  try {
    return readFileSync(file, "utf8").trim().split("\n");
  } catch {
    return [];
  }
}

let isStopped = false;
// The rounds so far are judged and the cluster is stopped: nothing is left running.
for (const name of ["SIGINT", "SIGTERM"] as const) process.on(name, () => void (isStopped = true));

console.log(`soak of slurm: ${rounds} rounds, ${SUBMITTERS} submitters each, seed ${seed}`);
const begun = performance.now();
try {
  for (let index = 0; index < rounds; index += 1) {
    await playRound(index);
    const isReport = (index + 1) % 100 === 0;
    if (isReport) console.log(`${index + 1} rounds, ${failures.length} failed`);
    played = index + 1;
    if (failures.length > 10 || isStopped) break;
  }
  await endings;
} finally {
  for (const one of pool) one.end();
  await cluster.close();
}
const seconds = (performance.now() - begun) / 1000;

console.log("\nfault                                              rounds");
for (const [name, count] of done) console.log(`${name.padEnd(50)} ${String(count).padStart(6)}`);
console.log("\nseen                                               times");
for (const [name, count] of seen) {
  console.log(`${name.padEnd(50)} ${String(count).padStart(6)}`);
  if (count === 0 && played >= ALL_FAULTS_ROUNDS) failures.push(`${name}: never seen`);
}
console.log(`answered ids of jobs that a killed controller forgot: ${forgotten}`);
for (const failure of failures) console.error(`FAILED ${failure}`);
console.log(
  failures.length === 0
    ? `soak passed: ${played} rounds in ${seconds.toFixed(0)} s`
    : `soak failed: ${failures.length}`,
);
process.exitCode = failures.length === 0 ? 0 : 1;

function settings(): { readonly rounds: number; readonly seed: number } {
  try {
    const options = { rounds: { type: "string", default: "20" }, seed: { type: "string", default: "1" } } as const;
    const { values } = parseArgs({ options });
    const [rounds, seed] = [Number(values.rounds), Number(values.seed)];
    if (Number.isInteger(rounds) && rounds >= 1 && Number.isInteger(seed)) return { rounds, seed };
  } catch {
    // An option that is not known: the usage says which are.
  }
  console.error("usage: soak --rounds <whole number of at least 1> --seed <whole number>");
  process.exit(2);
}
