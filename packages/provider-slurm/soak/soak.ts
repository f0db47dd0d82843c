// `soak.ts --rounds N --seed S --at-once K`: four processes spawn one key at once on a real cluster, N times, while clients
// are killed, answers are lost and the controller is stopped or killed. K rounds are run at a time, each with a key and
// four processes of its own; what happens to the controller happens to all of them. After each round the cluster itself says
// whether exactly one job of the key is released, and the job's own line whether exactly one ran.
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { memoryStore, reconcile } from "@slipway/control";
import { isProviderError } from "@slipway/core";
import { seededRandom } from "@slipway/provider-kit/emulator";
import { slurm } from "../src/index.ts";
import { readComment } from "../src/ownership.ts";
import { slurmCluster } from "../src/testing/index.ts";
import { FAULTS, type Fault, SEEN, type Seen } from "./faults.ts";
import { type Ask, type Outcome, type Step, Submitter, Team } from "./pool.ts";
import { expectRan, type Fail } from "./ran-jobs.ts";
import { settings } from "./settings.ts";
import { soakRequest } from "./soak-request.ts";

const SUBMITTERS = 4;
const MESSAGE_TIMEOUT_SECONDS = 4;
/** Both requests of a command have timed out by then. */
const SILENT_MS = 9_000;
const PATIENCE_MS = 60_000;
const REPORT_ROUNDS = 50;

const { rounds, seed, atOnce } = settings();
const owner = "soak";
const cluster = await slurmCluster({ messageTimeoutSeconds: MESSAGE_TIMEOUT_SECONDS });
const directory = join(cluster.directory, "soak");
mkdirSync(directory);
// Most of a submitter's start is reading its modules: the first one, which nobody kills, leaves them compiled.
const env = { ...process.env, SLURM_CONF: cluster.slurmConf, NODE_COMPILE_CACHE: join(directory, "compiled") };
const teams = Array.from({ length: atOnce }, () => new Team(SUBMITTERS, env));
const provider = slurm({ owner, slurmConf: cluster.slurmConf, partition: "main" });
const seen = new Map<Seen, number>(SEEN.map((name) => [name, 0]));
const done = new Map<string, number>(FAULTS.map(({ name }) => [name, 0]));
const failures: string[] = [];
let forgotten = 0;
let finished = 0;
let isPaused = false;
let endings: Promise<unknown> = Promise.resolve();

const tally = (name: Seen, times = 1): void => void seen.set(name, (seen.get(name) ?? 0) + times);

interface Round {
  readonly index: number;
  readonly fault: Fault;
}

interface Shown {
  readonly number: string;
  readonly state: string;
  readonly reason: string;
}

/** A command of the administrator; a machine under load may need a second one. */
async function look(program: string, ...args: readonly string[]): Promise<string> {
  return await cluster.run(program, ...args).catch(() => cluster.run(program, ...args));
}

/** The jobs of a key that are not over, past the provider. */
async function jobsOf(key: string): Promise<readonly Shown[]> {
  return (await allOf(key)).filter(({ state }) => /^(PENDING|RUNNING|CONFIGURING|SUSPENDED)$/.test(state));
}

async function allOf(key: string): Promise<readonly Shown[]> {
  const text = await look("squeue", "-h", "-a", "-t", "all", "-o", "%i\x1f%T\x1f%r\x1f%k");
  return text.split("\n").flatMap((line) => {
    const [number = "", state = "", reason = "", comment = ""] = line.split("\x1f");
    return readComment(comment)?.ownership.key === key ? [{ number, state, reason }] : [];
  });
}

async function play(four: readonly Submitter[], { index: round, fault }: Round, ask: Ask): Promise<readonly Outcome[]> {
  // Each round has its own random numbers: those that are run at the same time take none from it.
  const random = seededRandom(seed * 1_000_003 + round);
  const upTo = (ms: number): number => random.next() * ms;
  const victim = Math.floor(upTo(SUBMITTERS));
  let isKilled = false;
  const kill = (withCommands: boolean): void => {
    if (isKilled) return;
    isKilled = true;
    const victims = fault.kill?.who === "all" ? four : four.slice(victim, victim + 1);
    for (const one of victims) one.kill(withCommands);
  };
  const delayed = new Set<number>();
  const onStep = (index: number) => (step: Step) => {
    if (!step.startsWith("before ") && delayed.delete(index)) tally("a call that the paused controller delayed");
    if (isPaused && step.startsWith("before ")) delayed.add(index);
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
  if (fault.kill?.at === "random") await pause(upTo(500)).then(() => kill(random.next() < 0.5));
  return await outcomes;
}

/** For all rounds that are run now. */
async function plague({ index, fault: { controller } }: Round): Promise<void> {
  if (controller === undefined) return;
  const random = seededRandom(seed * 1_000_003 - index - 1);
  const upTo = (ms: number): number => random.next() * ms;
  await pause(upTo(400));
  if (controller === "killed") {
    await cluster.killController();
    await cluster.startController();
    tally("a controller that came back from its saved state");
    return;
  }
  await cluster.pauseController();
  isPaused = true;
  await pause(controller === "silent" ? SILENT_MS : 300 + upTo(700));
  isPaused = false;
  await cluster.resumeController();
}

/** The key once more, until it is answered; then the cluster's own word on what there is. */
async function settle(ask: Ask, fault: Fault): Promise<string | undefined> {
  const end = Date.now() + PATIENCE_MS;
  for (;;) {
    try {
      return (await provider.spawn(soakRequest(ask.key, ask.ranFile, ask.variant))).id;
    } catch (error) {
      if (!isProviderError(error)) throw error;
      if (error.code === "CONFLICT" && fault.hasOtherSpec === true) return undefined;
      if (Date.now() > end) throw error;
      await pause(200);
    }
  }
}

async function playRound(round: Round, team: Team, plagued: Promise<void>, fail: Fail): Promise<void> {
  const { index, fault } = round;
  const key = `round-${index}`;
  const ask: Ask = { owner, key, ranFile: join(directory, key), variant: "same" };
  const outcomes = await play(await team.members(), round, ask);
  await plagued;
  // Those that take the place of the killed start while this round is judged.
  void team.members();
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
  // Nobody else has cancelled a job of this key yet.
  const losers = (await allOf(key)).filter(({ state }) => state === "CANCELLED");
  tally("a duplicate cancelled by the election", losers.length);

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
  // The job begins while the next round is run.
  const ending = expectRan(ask.ranFile, winner, fail, fault.controller === "killed").then(() =>
    look("scancel", winner),
  );
  endings = Promise.all([endings, ending.catch((error: unknown) => fail(String(error)))]);
}

/** Rounds with the same fate of the controller. A failure of one, however unexpected, leaves the others alone. */
async function playAtOnce(rounds: readonly Round[]): Promise<void> {
  const [first] = rounds;
  if (first === undefined) return;
  const isPlagued = first.fault.controller !== undefined;
  // A controller that is killed forgets its last seconds: those of the rounds before must be over.
  if (isPlagued) await endings;
  await Promise.all(teams.map((team) => team.members()));
  const plagued = plague(first);
  const playing = rounds.map(async (round, index) => {
    const fail = (message: string): void => {
      failures.push(`round ${round.index} (${round.fault.name}): ${message}`);
    };
    const team = teams[index];
    if (team !== undefined) await playRound(round, team, plagued, fail).catch((error: unknown) => fail(String(error)));
  });
  await Promise.all([...playing, plagued]);
  if (isPlagued) await endings;
  finished += rounds.length;
}

/** Rounds with the same fate of the controller are put together, within so many that every kind of fault is among them. */
function batches(): readonly (readonly Round[])[] {
  const all = Array.from({ length: rounds }, (_, index) => ({
    index,
    fault: FAULTS[index % FAULTS.length] ?? { name: "none" },
  }));
  return chunks(all, FAULTS.length * atOnce).flatMap((some) =>
    [...Map.groupBy(some, ({ fault }) => fault.controller).values()].flatMap((alike) => chunks(alike, atOnce)),
  );
}

function chunks<T>(all: readonly T[], size: number): readonly (readonly T[])[] {
  return Array.from({ length: Math.ceil(all.length / size) }, (_, index) =>
    all.slice(index * size, (index + 1) * size),
  );
}

function judgeOutcomes(fault: Fault, outcomes: readonly Outcome[], fail: Fail): void {
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

let isStopped = false;
// The rounds so far are judged and the cluster is stopped: nothing is left running.
for (const name of ["SIGINT", "SIGTERM"] as const) process.on(name, () => void (isStopped = true));

console.log(`soak of slurm: ${rounds} rounds, ${SUBMITTERS} submitters each, ${atOnce} rounds at once, seed ${seed}`);
const begun = performance.now();
try {
  await Submitter.warmUp(env);
  for (const batch of batches()) {
    const before = finished;
    await playAtOnce(batch);
    if (Math.floor(finished / REPORT_ROUNDS) > Math.floor(before / REPORT_ROUNDS)) {
      const seconds = ((performance.now() - begun) / 1000).toFixed(0);
      console.log(`${finished} rounds in ${seconds} s, ${failures.length} failed`);
    }
    if (failures.length > 10 || isStopped) break;
  }
  await endings;
} finally {
  for (const team of teams) team.end();
  await cluster.close();
}
const seconds = (performance.now() - begun) / 1000;

console.log("\nfault                                              rounds");
for (const [name, count] of done) console.log(`${name.padEnd(50)} ${String(count).padStart(6)}`);
console.log("\nseen                                               times");
for (const [name, count] of seen) {
  console.log(`${name.padEnd(50)} ${String(count).padStart(6)}`);
  if (count === 0 && finished >= FAULTS.length) failures.push(`${name}: never seen`);
}
console.log(`answered ids of jobs that a killed controller forgot: ${forgotten}`);
for (const failure of failures) console.error(`FAILED ${failure}`);
console.log(
  failures.length === 0
    ? `soak passed: ${finished} rounds in ${seconds.toFixed(0)} s`
    : `soak failed: ${failures.length}`,
);
process.exitCode = failures.length === 0 ? 0 : 1;
