import { bootstrapSecrets, parseSentinel } from "@slipway/provider-kit/bootstrap";
import { type Call, type Driver, Undone } from "@slipway/provider-kit/driver";
import { printed } from "./inside.ts";
import { type SlurmInstance, statusOf, submittedAt, toInstance } from "./instance.ts";
import { jobScript, MAX_BOOTSTRAP_BYTES, printFile } from "./job-script.ts";
import { readComment } from "./ownership.ts";
import { refusal, type SlurmRemote } from "./remote.ts";
import { type Prepared, prepare, type SlurmSpawnOptions } from "./request.ts";
import { reasonRow } from "./states.ts";
import { idOf, type Job, numberOf } from "./wire.ts";

export type SlurmDriver = Driver<Job, SlurmInstance, SlurmSpawnOptions, Prepared>;

const LOOK_MS = 500;
const SENTINEL_MS = 15_000;

/** Jobs of one user. No token and no unique names: held submission and the kit's election decide between processes. */
export function slurmDriver(remote: SlurmRemote): SlurmDriver {
  const { client } = remote;
  const read = async (call: Call, id: string): Promise<Job | null> => {
    const number = numberOf(id);
    const job = number === undefined ? null : await client.job(call, number);
    // Of another submit time: the number was given again.
    return job !== null && (idOf(job) === id || job.number === id) ? job : null;
  };
  return {
    isId: (id) => numberOf(id) !== undefined,
    identify: (job) => ({
      id: idOf(job),
      nativeId: job.number,
      name: job.name,
      status: statusOf(job),
      ownership: readComment(job.comment)?.ownership ?? null,
      // The oldest wins an election: within a second the controller's numbers say which that is.
      createdAt: submittedAt(job).replace(/\.\d+Z$/, `.${job.number.padStart(10, "0")}Z`),
    }),
    toInstance: (job, base) => toInstance(job, base, remote),
    bootstrap: { format: "shell", executed: true, maxBytes: MAX_BOOTSTRAP_BYTES },
    elects: true,

    list: async function* (call) {
      yield await client.jobs(call);
    },
    get: read,
    prepare: (call, request) => prepare(remote, call, request),
    create: async (call, { name, script, prepared }) => {
      const { args, comment } = prepared;
      await checkEnd(remote, call, prepared);
      const text = jobScript(remote.config.bootstrapDirectory, prepared, script);
      const number = await client.submit(call, {
        name,
        comment,
        args,
        script: text,
        secrets: bootstrapSecrets(script, text),
      });
      const job = await readSubmitted(remote, call, number);
      return { machine: job };
    },
    finish: (call, job) => release(remote, call, job),
    enrich: async (call, job, instance) => {
      const token = readComment(job.comment)?.token;
      if (token === undefined) return instance;
      return { ...instance, bootstrap: await bootstrapOf(remote, call, job, token) };
    },
    destroy: async (call, _id, job) => {
      if (job === null) return "gone";
      // What has ended cannot be cancelled: it may have failed since it was read.
      const now = (await client.cancel(call, job)) ? job : await read(call, idOf(job));
      if (now !== null && statusOf(now) === "error") await client.dismiss(call, now);
      return "accepted";
    },
  };
}

/** A site may let jobs run on after their time limits: then no end can be kept. */
async function checkEnd({ client }: SlurmRemote, call: Call, { end, partition }: Prepared): Promise<void> {
  if (end === undefined) return;
  const overTime = await client.overTime(call, partition);
  if (overTime === "0 min") return;
  throw refusal("UNSUPPORTED", call.operation, `no terminateBy is kept here: Slurm's OverTimeLimit is ${overTime}`, {
    hint: "launch makes a terminateBy of an expiresAt: leave both out, give timeLimitMinutes, and run slipway reap.",
  });
}

async function readSubmitted({ client }: SlurmRemote, call: Call, number: string): Promise<Job> {
  const job = await client.job(call, number).catch((error: unknown) => {
    throw refusal("INTERNAL", call.operation, `job ${number} was submitted, but cannot be read`, {
      effect: "applied",
      cause: error,
      nativeId: number,
    });
  });
  if (job !== null) return job;
  throw refusal("INTERNAL", call.operation, `job ${number} was submitted, and the controller does not know it`, {
    effect: "unknown",
    nativeId: number,
  });
}

/** A held job is half made, by this process or by one that was killed. Null: it ended meanwhile. */
async function release(remote: SlurmRemote, call: Call, job: Job): Promise<Job | null> {
  const { client, clock } = remote;
  if (job.state !== "PENDING" || job.reason !== "JobHeldUser") return job;
  if (!(await client.release(call, job.number))) return null;
  let now: Job = job;
  const until = clock.now() + remote.config.reasonTimeoutMs;
  do {
    await clock.sleep(LOOK_MS, call.signal);
    const seen = await client.job(call, job.number);
    if (seen === null || idOf(seen) !== idOf(job)) return null;
    now = seen;
  } while (now.state === "PENDING" && ["None", "JobHeldUser"].includes(now.reason) && clock.now() < until);
  const row = now.state === "PENDING" ? reasonRow(now.reason) : undefined;
  if (row?.never === undefined) return now;
  await client.cancel(call, now);
  throw new Undone(
    refusal(row.never, call.operation, `the job can never start, and was cancelled: ${row.message}`, {
      native: { code: now.reason, id: now.number },
    }),
  );
}

async function bootstrapOf(remote: SlurmRemote, call: Call, job: Job, token: string): Promise<BootstrapView> {
  const { bootstrapDirectory, sharedBootstrapDirectory: isShared = false } = remote.config;
  if (job.state === "PENDING") return { state: "pending" };
  if (job.state !== "RUNNING" && !isShared) return { state: "unknown" };
  const script = printFile(bootstrapDirectory, token, job.number, "sentinel");
  const result = await printed(remote, call, job, script, SENTINEL_MS).catch((error: unknown) => {
    if (call.signal?.aborted === true) throw error;
    return null;
  });
  if (result?.exitCode !== 0) return { state: "unknown" };
  const { state, exitCode } = parseSentinel(result.stdout);
  // Where its job has ended it does not go on, whatever it wrote last.
  if (job.state !== "RUNNING" && exitCode === undefined) return { state: "unknown" };
  return { state, ...(exitCode === undefined ? {} : { exitCode }) };
}
type BootstrapView = NonNullable<SlurmInstance["bootstrap"]>;
