import type { CommandResult, ExecOptions, ExecResult, LogOptions } from "@slipway/core";
import type { Call } from "@slipway/provider-kit/driver";
import { commandError, errorRow } from "./errors.ts";
import { MAX_READ_BYTES, printLog } from "./job-script.ts";
import { readComment } from "./ownership.ts";
import { refusal, type SlurmRemote } from "./remote.ts";
import { StepCommand } from "./step-command.ts";
import type { Job } from "./wire.ts";

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
