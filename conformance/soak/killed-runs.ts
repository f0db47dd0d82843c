// `killed-runs.ts --count N --seed S`: kills `slipway run` with SIGKILL and SIGTERM at random moments, N times on local and N
// times on an emulated Lambda whose time passes faster. When their time to live is over, one
// `slipway reconcile --apply` must leave nothing that runs, and no key in the account.
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { namePrefixFor, systemClock } from "@slipway/core";
import { seededRandom } from "@slipway/provider-kit/emulator";
import { serve } from "@slipway/provider-lambda/emulator";
import { runCli } from "slipway";
import { endRun, startRun } from "./victim-run.ts";

const AT_ONCE = 4;
const SPEED = 60;
/** A run's time to live is a day. */
const LATER_MS = 2 * 86_400_000;

const { count, seed } = settings();
const random = seededRandom(seed);
const directory = mkdtempSync(join(tmpdir(), "slipway-killed-runs-"));
const failures: string[] = [];

interface Target {
  readonly name: string;
  readonly words: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  /** What the remote itself says is left. */
  readonly left: () => readonly string[];
  readonly close: () => Promise<void>;
}

function place(name: string): { readonly cwd: string; readonly env: Readonly<Record<string, string>> } {
  const cwd = join(directory, name);
  for (const inner of ["", "state", "tmp"]) mkdirSync(join(cwd, inner));
  const { PATH = "" } = process.env;
  return { cwd, env: { PATH, HOME: cwd, XDG_STATE_HOME: join(cwd, "state"), TMPDIR: join(cwd, "tmp") } };
}

function onLocal(): Target {
  const { cwd, env } = place("local");
  const left = (): readonly string[] => {
    const prefix = namePrefixFor(readFileSync(join(cwd, "state", "slipway", "owner"), "utf8").trim());
    return [...sandboxesOf(prefix), ...instancesOf(cwd)];
  };
  return { name: "local", words: [], env, left, close: async () => undefined };
}

async function onLambda(): Promise<Target> {
  const { cwd, env } = place("lambda");
  const emulated = { bootMs: 60_000, endMs: 30_000, limits: null };
  const served = await serve({ ...emulated, machines: "light", speed: SPEED, capacity: 10_000, instanceQuota: 10_000 });
  const found = fileURLToPath(import.meta.resolve("@slipway/provider-lambda"));
  const config = { requestsPerSecond: 1_000, secondsPerLaunch: 0.001, readAfterWriteMs: 0 };
  const written = { providers: { lambda: { package: found, config } } };
  writeFileSync(join(cwd, "slipway.config.json"), JSON.stringify(written));
  const { control } = served.emulator;
  return {
    name: "lambda",
    words: ["--provider", "lambda", "--spec", "gpu_1x_a10"],
    env: { ...env, ...served.variables },
    left: () => [
      ...control.instances().flatMap(({ live, status, nativeId }) =>
        // Its end was accepted, and takes its time.
        live && status !== "terminating" ? [`instance ${nativeId} ${status}`] : [],
      ),
      ...control.sshKeys().map(({ name }) => `key ${name}`),
    ],
    close: served.close,
  };
}

/** Processes of sandboxes whose ids begin so, as the kernel knows them. */
function sandboxesOf(prefix: string): readonly string[] {
  const pids = readdirSync("/proc").filter((name) => /^\d+$/.test(name));
  return pids.flatMap((pid) => {
    try {
      const environment = readFileSync(`/proc/${pid}/environ`, "utf8");
      return environment.includes(`SLIPWAY_SANDBOX_ID=${prefix}`) ? [`process ${pid}`] : [];
    } catch {
      return [];
    }
  });
}

/** Directories of local's instances. */
function instancesOf(cwd: string): readonly string[] {
  return readdirSync(join(cwd, "state", "slipway"), { recursive: true, encoding: "utf8" }).filter((name) =>
    /\/instances\/[^/]+$/.test(name),
  );
}

async function killAll(target: Target, runMs: number): Promise<Record<string, number>> {
  const ends: Record<string, number> = {};
  let next = 0;
  const worker = async (): Promise<void> => {
    for (let at = next++; at < count; at = next++) {
      const signal = at % 2 === 0 ? "SIGKILL" : "SIGTERM";
      const run = startRun(join(directory, target.name), target.env, target.words);
      await run.up;
      await systemClock.sleep((runMs * (at + random.next())) / count);
      const { end, said } = await endRun(run, signal);
      ends[end] = (ends[end] ?? 0) + 1;
      if (end === "125") failures.push(`${target.name} run ${at}: ${said.slice(-500)}`);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
  return ends;
}

async function reconcile(target: Target): Promise<{ readonly exitCode: number; readonly said: string }> {
  const clock = { ...systemClock, now: () => systemClock.now() + LATER_MS };
  let said = "";
  const sink = {
    isTTY: false,
    write: (text: string) => {
      said += text;
    },
  };
  const named = target.words.slice(0, 2);
  const world = { clock, env: target.env, cwd: join(directory, target.name), stdout: sink, stderr: sink };
  return { exitCode: await runCli(["reconcile", ...named, "--apply", "--yes"], world), said };
}

async function soak(target: Target): Promise<void> {
  const started = performance.now();
  try {
    const undisturbed = Array.from({ length: AT_ONCE }, async () => {
      const { livedMs, end, said } = await startRun(join(directory, target.name), target.env, target.words).ended;
      if (end !== "7") throw new Error(`an undisturbed run on ${target.name} ended with ${end}:\n${said}`);
      return livedMs;
    });
    const lived = await Promise.all(undisturbed);
    const kept = target.left();
    if (kept.length > 0) failures.push(`${target.name}: undisturbed runs left ${kept.join(", ")}`);
    const runMs = lived.sort((a, b) => a - b)[Math.floor(AT_ONCE / 2)] ?? 0;
    const ends = await killAll(target, runMs);
    const before = target.left();
    const { exitCode, said } = await reconcile(target);
    const after = target.left();
    if (exitCode !== 0) failures.push(`${target.name}: reconcile ended with ${exitCode}: ${said.slice(-1_000)}`);
    for (const one of after) failures.push(`${target.name}: after reconcile there is ${one}`);
    const shown = Object.entries(ends).map(([end, times]) => `${times} x ${end}`);
    const seconds = ((performance.now() - started) / 1_000).toFixed(0);
    console.log(
      `${target.name.padEnd(8)} a run takes ${runMs.toFixed(0)} ms; ${count} killed: ${shown.join(", ")}; left before reconcile ${before.length}, after it ${after.length}; ${seconds} s`,
    );
  } finally {
    await target.close();
  }
}

await soak(onLocal());
await soak(await onLambda());
rmSync(directory, { recursive: true, force: true });
for (const failure of failures) console.error(`FAILED ${failure}`);
console.log(failures.length === 0 ? `soak passed: ${2 * count} killed runs` : `soak failed: ${failures.length}`);
process.exitCode = failures.length === 0 ? 0 : 1;

function settings(): { readonly count: number; readonly seed: number } {
  try {
    const options = { count: { type: "string", default: "250" }, seed: { type: "string", default: "1" } } as const;
    const { values } = parseArgs({ options });
    const [count, seed] = [Number(values.count), Number(values.seed)];
    if (Number.isInteger(count) && count >= 1 && Number.isInteger(seed)) return { count, seed };
  } catch {
    // An option that is not known: the usage says which are.
  }
  console.error("usage: killed-runs --count <whole number of at least 1> --seed <whole number>");
  process.exit(2);
}
