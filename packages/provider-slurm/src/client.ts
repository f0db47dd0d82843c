import { type Clock, type CommandResult, type Exec, type ExecResult, type Pacing } from "@slipway/core";
import { commandFailure } from "@slipway/provider-kit/command";
import { type Call, singleFlight } from "@slipway/provider-kit/driver";
import { commandError, errorRow } from "./errors.ts";
import { readDismissal, writeDismissal } from "./ownership.ts";
import { PROVIDER, refusal } from "./remote.ts";
import { together } from "./shared-command.ts";
import { idOf, type Job, parseJobs, SQUEUE_FORMAT } from "./wire.ts";

/** The cluster's name and version, read once. */
export interface ClusterFacts {
  readonly name: string;
  readonly version: string;
  readonly hasAccounting: boolean;
  /** How long a job may go on after its time limit, as Slurm writes it; a partition may say otherwise. */
  readonly overTime: string;
}

export interface Submission {
  readonly name: string;
  readonly comment: string;
  readonly args: readonly string[];
  readonly script: string;
  readonly secrets: readonly string[];
}

export interface StepOptions {
  readonly stdin?: string | undefined;
  readonly onStdout?: ((chunk: string) => void) | undefined;
  readonly onStderr?: ((chunk: string) => void) | undefined;
  /** Undefined: no limit but the caller's signal. */
  readonly timeoutMs?: number | undefined;
}

/** The only thing that runs Slurm's commands. Each has a time limit of its own. */
export interface SlurmClient {
  readonly cluster: (call: Call) => Promise<ClusterFacts>;
  /** How long a job of a partition may go on after its time limit: its own word, else the cluster's. Undefined: the default one. */
  readonly overTime: (call: Call, partition: string | undefined) => Promise<string>;
  /** All jobs of this user, ended ones too as long as the controller shows them. Callers share one `squeue`. */
  readonly jobs: (call: Call) => Promise<readonly Job[]>;
  /** The same for one number: null only if the controller's whole answer does not hold it. */
  readonly job: (call: Call, number: string) => Promise<Job | null>;
  /** Submits held: it cannot start before `release`. Returns the number. */
  readonly submit: (call: Call, job: Submission) => Promise<string>;
  /** Those who ask while a release is under way share the next one. False if the job has ended meanwhile. */
  readonly release: (call: Call, number: string) => Promise<boolean>;
  /** False if there was nothing to cancel: it has ended, or is about to. */
  readonly cancel: (call: Call, job: Job) => Promise<boolean>;
  /** Leaves a record that everyone sees: this job, which has failed, was terminated. */
  readonly dismiss: (call: Call, job: Job) => Promise<void>;
  /** Runs a program in a running job. A non-zero exit is a result. */
  readonly step: (call: Call, number: string, argv: readonly string[], options?: StepOptions) => Promise<ExecResult>;
  /** Runs a shell script where the commands run. */
  readonly shell: (call: Call, script: string, timeoutMs: number) => Promise<CommandResult>;
  readonly ping: (call: Call) => Promise<void>;
  readonly partitions: (call: Call) => Promise<readonly string[]>;
}

export interface ClientOptions {
  readonly exec: Exec;
  readonly slurmConf: string | undefined;
  readonly commandPrefix: readonly string[] | undefined;
  readonly timeoutMs: number;
  readonly clock: Clock;
  readonly pacing: Pacing;
}

/** The bucket of `pacing` from which reads of the queue draw. */
export const QUEUE_BUCKET = "squeue";
/** So old a job is in the controller's saved state, though its clock is not quite ours. */
const OLD_MS = 120_000;
/** Who asks within this time shares a read: it costs less than the command itself takes. */
const GATHER_MS = 10;

type Sent = StepOptions & { readonly writes?: boolean; readonly secrets?: readonly string[] };
const NO_LIMIT_MS: number = 2 ** 31 - 1;

export function slurmClient(options: ClientOptions): SlurmClient {
  const { exec, slurmConf, commandPrefix, timeoutMs, clock, pacing } = options;
  let facts: ClusterFacts | undefined;
  let partitionLines: readonly string[] | undefined;
  const shared = singleFlight(PROVIDER);
  const account = slurmConf ?? "";
  const env: Readonly<Record<string, string>> = {
    SLURM_TIME_FORMAT: "%s",
    TZ: "UTC",
    LC_ALL: "C",
    ...(slurmConf === undefined ? {} : { SLURM_CONF: slurmConf }),
  };

  const send = async (
    call: Call,
    program: string,
    args: readonly string[],
    sent: Sent = {},
  ): Promise<CommandResult> => {
    const { writes = false, ...options } = sent;
    const [file, words] = commandPrefix === undefined ? [program, args] : prefixed(commandPrefix, env, program, args);
    try {
      return await exec(file, words, { timeoutMs, ...options, env, signal: call.signal });
    } catch (error) {
      throw commandFailure(error, {
        provider: PROVIDER,
        operation: call.operation,
        effect: writes ? "unknown" : "none",
      });
    }
  };
  const answer = async (call: Call, program: string, args: readonly string[], sent: Sent = {}): Promise<string> => {
    const { exitCode, stdout, stderr } = await send(call, program, args, sent);
    if (exitCode === 0) return stdout;
    throw commandError(call, program, stderr, sent.writes === true);
  };

  const cluster = async (call: Call): Promise<ClusterFacts> => {
    if (facts !== undefined) return facts;
    const text = await answer(call, "scontrol", ["show", "config"]);
    const field = (name: string): string => new RegExp(`^${name}\\s*= (.*)$`, "m").exec(text)?.[1]?.trim() ?? "";
    const name = field("ClusterName");
    if (name === "") throw refusal("INTERNAL", call.operation, "`scontrol show config` names no cluster");
    const storage = field("AccountingStorageType");
    const hasAccounting = !/none/.test(storage) && storage !== "(null)";
    facts = { name, version: field("SLURM_VERSION"), hasAccounting, overTime: field("OverTimeLimit") };
    return facts;
  };
  const overTime: SlurmClient["overTime"] = async (call, partition) => {
    const { overTime: ofAll } = await cluster(call);
    partitionLines ??= (await answer(call, "scontrol", ["-a", "-o", "show", "partition"])).split("\n");
    const isIts = (line: string): boolean =>
      partition === undefined ? / Default=YES /.test(line) : line.startsWith(`PartitionName=${partition} `);
    const own = / OverTimeLimit=(\S+)/.exec(partitionLines.find(isIts) ?? "")?.[1] ?? "NONE";
    return own === "NONE" ? ofAll : /^\d+$/.test(own) ? `${own} min` : own;
  };
  const parsed = async (call: Call, text: string): Promise<readonly Job[]> => {
    const jobs = parseJobs(text, (await cluster(call)).name);
    if (jobs === undefined) throw refusal("INTERNAL", call.operation, "`squeue` printed something that cannot be read");
    const dismissed = new Set(jobs.map(({ comment }) => readDismissal(comment)));
    return jobs
      .filter(({ comment }) => readDismissal(comment) === undefined)
      .map((job) => ({ ...job, isDismissed: dismissed.has(idOf(job)) }));
  };
  // Not one of another job's number or name: a controller counts what each user asks it.
  const jobs = (call: Call): Promise<readonly Job[]> =>
    shared.read(QUEUE_BUCKET, call, async (signal) => {
      await clock.sleep(GATHER_MS, signal);
      await pacing.acquire({ account, operation: QUEUE_BUCKET }, { signal });
      shared.sent(QUEUE_BUCKET);
      const reading = { ...call, signal };
      return await parsed(reading, await answer(reading, "squeue", ["-h", "-t", "all", "--me", "-o", SQUEUE_FORMAT]));
    });

  const job = async (call: Call, number: string): Promise<Job | null> =>
    (await jobs(call)).find((one) => one.number === number) ?? null;

  const write = (call: Call, program: string, args: readonly string[]): Promise<CommandResult> =>
    send(call, program, args, { writes: true });
  const release = together(shared, "release", (call, numbers) =>
    write(call, "scontrol", ["release", numbers.join(",")]),
  );
  const cancel = together(shared, "cancel", (call, numbers) => write(call, "scancel", ["-v", ...numbers]));

  return {
    cluster,
    overTime,
    jobs,
    job,
    submit: async (call, { name, comment, args, script, secrets }) => {
      const words = ["--parsable", "--hold", "--export=NONE", `--job-name=${name}`, `--comment=${comment}`, ...args];
      const printed = await answer(call, "sbatch", words, { writes: true, stdin: script, secrets });
      const number = /^(\d+)(;.*)?$/m.exec(printed)?.[1];
      if (number !== undefined) return number;
      throw refusal("INTERNAL", call.operation, "`sbatch` printed no job number", { effect: "unknown" });
    },
    release: async (call, number) => {
      const first = await release(call, number);
      let answered: CommandResult = first;
      if (answered.exitCode !== 0 && !first.isAlone) {
        // It may be another's that failed. Asked once more, a job that has begun would look like one that has ended.
        const now = await job(call, number);
        if (now?.state !== "PENDING" || now.reason !== "JobHeldUser") return now !== null;
        answered = await write(call, "scontrol", ["release", number]);
      }
      const { exitCode, stderr } = answered;
      if (exitCode === 0) return true;
      // It is released all the same: the next look at it says whether it can ever start.
      if (/Requested partition configuration not available now/.test(stderr)) return true;
      if (errorRow(stderr)?.id === "job-gone" || /already (completing|finished)|not pending/i.test(stderr))
        return false;
      throw commandError(call, "scontrol", stderr, true);
    },
    cancel: async (call, { number, name, submitted }) => {
      // A controller that is killed forgets its last seconds, and gives their numbers again; those of old jobs never.
      if (clock.now() - Number(submitted) * 1000 > OLD_MS) {
        const { exitCode, stderr } = await cancel(call, number);
        if (exitCode === 0 && !/error:/.test(stderr)) return true;
      }
      // The name beside the number: a job that has ended is no match then. Without `-v` one that ends just now is not told.
      const { exitCode, stderr } = await write(call, "scancel", ["-v", `--name=${name}`, number]);
      if (/Invalid job id specified|No active jobs match|already completing or completed/.test(stderr)) return false;
      if (exitCode !== 0) throw commandError(call, "scancel", stderr, true);
      return true;
    },
    dismiss: async (call, job) => {
      const words = [
        "--job-name=slipway-dismissed",
        `--comment=${writeDismissal(idOf(job))}`,
        ...["--export=NONE", "--output=/dev/null", "--chdir=/", "--no-requeue", `--partition=${job.partition}`],
        ...(job.account === "" || job.account === "(null)" ? [] : [`--account=${job.account}`]),
        // A time limit beyond its deadline: Slurm takes it and ends it at once. It never starts.
        ...["--time=1", "--deadline=now+30seconds"],
      ];
      await answer(call, "sbatch", words, { writes: true, stdin: "#!/bin/sh\n:\n" });
    },
    step: async (call, number, argv, options = {}) => {
      const args = [
        "--overlap",
        `--jobid=${number}`,
        "-n1",
        "-N1",
        "-Q",
        "--export=PATH,HOME,USER,LOGNAME,SHELL,LANG",
        "--chdir=/",
      ];
      const input = options.stdin === undefined ? ["--input=none"] : [];
      const sent = { timeoutMs: NO_LIMIT_MS, ...options, writes: true };
      const result = await send(call, "srun", [...args, ...input, "--", ...argv], sent);
      if (result.exitCode !== null) return { ...result, exitCode: result.exitCode };
      throw refusal("INTERNAL", call.operation, `srun was ended by ${result.signal ?? "a signal"}`, {
        effect: "unknown",
      });
    },
    shell: (call, script, limitMs) => send(call, "/bin/sh", ["-c", script], { timeoutMs: limitMs }),
    ping: async (call) => {
      const { exitCode, stdout, stderr } = await send(call, "scontrol", ["ping"]);
      if (exitCode === 0) return;
      const said = /DOWN/.test(stdout) ? "Unable to contact slurm controller" : stderr;
      throw commandError(call, "scontrol", said, false);
    },
    partitions: async (call) =>
      (await answer(call, "sinfo", ["-h", "-o", "%R"])).split("\n").filter((one) => one !== ""),
  };
}

/** As ssh does it, the far side's shell gets the words joined with spaces: so each is quoted. */
function prefixed(
  [file = "", ...prefix]: readonly string[],
  env: Readonly<Record<string, string>>,
  program: string,
  args: readonly string[],
): [string, readonly string[]] {
  const words = [...Object.entries(env).map(([name, value]) => `${name}=${value}`), program, ...args];
  return [file, [...prefix, "env", ...words.map((word) => `'${word.replaceAll("'", "'\\''")}'`)]];
}
