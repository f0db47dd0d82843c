import type { CommandResult, ExecOptions, ExecResult, LogOptions } from "@slipway/core";
import type { Call } from "@slipway/provider-kit/driver";
import { commandError, errorRow } from "./errors.ts";
import { MAX_READ_BYTES, printLog } from "./job-script.ts";
import { readComment } from "./ownership.ts";
import { refusal, type SlurmRemote } from "./remote.ts";
import type { Job } from "./wire.ts";

// Runs "$@" and says its exit code on stderr, after all that it printed there. A shell of its own, which signals to the whole
// step do not end: it says nothing itself, and takes no builtin for a program.
const SCRIPT = [
  "trap : HUP INT QUIT ALRM TERM USR1 USR2",
  "exec 3>&2 2>/dev/null",
  'case "$1" in */*) [ -f "$1" ] && [ -x "$1" ] ;; *) command -v "$1" >/dev/null ;; esac || { echo "$0:none" >&3; exit 0; }',
  '(exec "$@" 2>&3 3>&-)',
  'echo "$0:$?" >&3',
  "exit 0",
].join("\n");

const SRUN_LINE = /^(srun|slurmstepd(-\S+)?): /;

/** How a command ended, as it was said on stderr. */
interface SaidEnd {
  /** Undefined: nothing was said, so srun or the step has failed. */
  readonly exitCode: number | undefined;
  /** There is no program of the name. */
  readonly isMissing: boolean;
  /** Without what was said, and without Slurm's own lines. */
  readonly stderr: string;
  /** Slurm's own lines. */
  readonly slurm: string;
}

/**
 * A command as a step of a job. Slurm's own exit code is not enough: where a signal ends a task, srun drops what the task had
 * printed just before, and it says how a task ended in the middle of the line that the task has begun.
 */
class StepCommand {
  readonly argv: readonly string[];
  readonly #said: RegExp;

  constructor(argv: readonly string[]) {
    const nonce = crypto.randomUUID();
    this.argv = ["/bin/sh", "-c", SCRIPT, nonce, ...argv];
    this.#said = new RegExp(`${nonce}:(\\d+|none)\\n`);
  }

  endOf(stderr: string): SaidEnd {
    const [, code] = this.#said.exec(stderr) ?? [];
    const lines = stderr.replace(this.#said, "").split("\n");
    return {
      exitCode: code === undefined || code === "none" ? undefined : Number(code),
      isMissing: code === "none",
      stderr: lines.filter((line) => !SRUN_LINE.test(line)).join("\n"),
      slurm: lines.filter((line) => SRUN_LINE.test(line)).join("\n"),
    };
  }

  /** Gives the listener the same of a stream: whole lines, and what is left at the end. */
  linesTo(listener: (chunk: string) => void): { readonly write: (chunk: string) => void; readonly end: () => void } {
    let rest = "";
    return {
      write: (chunk) => {
        const lines = (rest + chunk).replace(this.#said, "").split("\n");
        rest = lines.pop() ?? "";
        for (const line of lines) if (!SRUN_LINE.test(line)) listener(`${line}\n`);
      },
      end: () => {
        if (rest !== "" && !SRUN_LINE.test(rest)) listener(rest);
      },
    };
  }
}

/** Prints a file of a job's bootstrap: there where it is shared, else in the job, which must run then. */
export async function printed(
  { client, config }: SlurmRemote,
  call: Call,
  { number }: Job,
  script: string,
  timeoutMs: number,
): Promise<Pick<CommandResult, "exitCode" | "stdout" | "stderr">> {
  if (config.sharedBootstrapDirectory === true) return await client.shell(call, script, timeoutMs);
  return await client.step(call, number, ["/bin/sh", "-c", script], { timeoutMs });
}

type Managed = (call: Call, id: string) => Promise<Job>;

const FOLLOW_MS = 2_000;
const PRINT_MS = 60_000;

/** Runs a program in a running job, as a step of its own. Slurm's own lines on stderr are left out. */
export async function execInside(
  { client }: SlurmRemote,
  managed: Managed,
  call: Call,
  id: string,
  argv: readonly string[],
  { stdin, onStdout, onStderr }: ExecOptions,
): Promise<ExecResult> {
  const [program] = argv;
  if (program === undefined || program === "") throw refusal("INVALID_SPEC", call.operation, "argv names no program");
  if (argv.some((word) => word.includes("\0"))) throw refusal("INVALID_SPEC", call.operation, "argv holds a NUL");
  const job = await mustRun(managed, call, id);
  const command = new StepCommand(argv);
  const lines = onStderr === undefined ? undefined : command.linesTo(onStderr);
  const result = await client.step(call, job.number, command.argv, { stdin, onStdout, onStderr: lines?.write });
  lines?.end();
  const { exitCode = result.exitCode, isMissing, stderr, slurm } = command.endOf(result.stderr);
  if (isMissing) {
    throw refusal("INVALID_SPEC", call.operation, `${id} has no program ${JSON.stringify(program.slice(0, 200))}`);
  }
  const row = errorRow(slurm);
  if (result.exitCode !== 0 && row !== undefined) throw commandError(call, "srun", slurm, row.effect !== "none");
  return { exitCode, stdout: result.stdout, stderr };
}

/** What the bootstrap printed, line by line. Followed, it ends when the job does. */
export async function* logsOf(
  remote: SlurmRemote,
  managed: Managed,
  id: string,
  { signal, follow = false }: LogOptions = {},
): AsyncGenerator<string> {
  const call: Call = { operation: "logs", signal };
  const isShared = remote.config.sharedBootstrapDirectory === true;
  const job = await (isShared ? managed(call, id) : mustRun(managed, call, id));
  const token = readComment(job.comment)?.token;
  if (token === undefined) return;
  let from = 0;
  let hasEnded = false;
  let rest = "";
  const decoder = new TextDecoder("utf-8", { ignoreBOM: true });
  for (;;) {
    const script = printLog(remote.config.bootstrapDirectory, token, job.number, from);
    const { exitCode, stdout, stderr } = await printed(remote, call, job, script, PRINT_MS);
    // What prints the log never fails: it is srun that has. Followed, the next look at the job says whether it goes on.
    if (exitCode !== 0 && !follow) throw commandError(call, "srun", stderr, false);
    const bytes = Buffer.from(exitCode === 0 ? stdout : "", "base64");
    from += bytes.length;
    const lines = (rest + decoder.decode(bytes, { stream: true })).split("\n");
    rest = lines.pop() ?? "";
    yield* lines;
    if (bytes.length === MAX_READ_BYTES) continue;
    if (!follow || hasEnded) break;
    await remote.clock.sleep(FOLLOW_MS, signal);
    const now = await remote.client.job(call, job.number);
    // What it wrote since is still there, where it is shared.
    hasEnded = now === null || !["PENDING", "RUNNING"].includes(now.state);
    if (hasEnded && !isShared) break;
  }
  rest += decoder.decode();
  if (rest !== "") yield rest;
}

async function mustRun(managed: Managed, call: Call, id: string): Promise<Job> {
  const job = await managed(call, id);
  if (job.state === "RUNNING") return job;
  throw refusal("INVALID_STATE", call.operation, `${id} is ${job.state}, not running`, { nativeId: job.number });
}
