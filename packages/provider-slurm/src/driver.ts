import { randomBytes } from "node:crypto";
import { bootstrapSecrets, parseSentinel } from "@slipway/provider-kit/bootstrap";
import { type Call, type Driver, type SpawnRequest, Undone } from "@slipway/provider-kit/driver";
import { type SlurmInstance, statusOf, submittedAt, toInstance } from "./instance.ts";
import { jobScript, MAX_BOOTSTRAP_BYTES, printFile } from "./job-script.ts";
import { NAME } from "./options.ts";
import { MAX_COMMENT_BYTES, readComment, writeComment } from "./ownership.ts";
import { refusal, type SlurmRemote, type SlurmSpawnOptions } from "./remote.ts";
import { reasonRow } from "./states.ts";
import { idOf, type Job, numberOf } from "./wire.ts";

/** What a spawn submits, beside its script. */
export interface Prepared {
  readonly args: readonly string[];
  readonly comment: string;
  readonly token: string;
}
export type SlurmDriver = Driver<Job, SlurmInstance, SlurmSpawnOptions, Prepared>;

const LOOK_MS = 500;
const SENTINEL_MS = 15_000;
const MEBIBYTE = 1024 ** 2;

/** Jobs of one user. No token and no unique names: held submission and the kit's election decide between processes. */
export function slurmDriver(remote: SlurmRemote): SlurmDriver {
  const { client, dismissed } = remote;
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
      status: statusOf(job, dismissed),
      ownership: readComment(job.comment)?.ownership ?? null,
      // The oldest wins an election: within a second the controller's numbers say which that is.
      createdAt: submittedAt(job).replace(/\.\d+Z$/, `.${job.number.padStart(10, "0")}Z`),
    }),
    toInstance: (job, base) => toInstance(job, base, remote),
    bootstrap: { format: "shell", executed: true, maxBytes: MAX_BOOTSTRAP_BYTES },
    elects: true,

    list: async function* (call, { names }) {
      const [name, ...more] = names ?? [];
      yield await client.jobs(call, { name: more.length === 0 ? name : undefined });
    },
    get: read,
    prepare: (call, request) => prepare(remote, call, request),
    create: async (call, { name, script, prepared }) => {
      const { args, comment, token } = prepared;
      const text = jobScript(remote.bootstrapDirectory, token, script);
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
      dismissed.add(idOf(job));
      await client.cancel(call, job);
      return "accepted";
    },
  };
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
  const until = clock.now() + remote.reasonTimeoutMs;
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
  if (job.state !== "RUNNING") return { state: job.state === "PENDING" ? "pending" : "unknown" };
  const argv = ["/bin/sh", "-c", printFile(remote.bootstrapDirectory, token, job.number, "sentinel")];
  const result = await remote.client
    .step(call, job.number, argv, { timeoutMs: SENTINEL_MS })
    .catch((error: unknown) => {
      if (call.signal?.aborted === true) throw error;
      return null;
    });
  if (result?.exitCode !== 0) return { state: "unknown" };
  const { state, exitCode } = parseSentinel(result.stdout);
  return { state, ...(exitCode === undefined ? {} : { exitCode }) };
}
type BootstrapView = NonNullable<SlurmInstance["bootstrap"]>;

function prepare(remote: SlurmRemote, { operation }: Call, request: SpawnRequest<SlurmSpawnOptions>): Prepared {
  const { options, ownership, script } = request;
  const { resources, gpu } = options;
  const [partition = remote.partition, account, qos, ...more] = options.spec?.split("/") ?? [];
  const names = [partition, account, qos].filter((one) => one !== undefined);
  if (more.length > 0 || names.some((one) => !NAME.test(one))) {
    throw refusal(
      "INVALID_SPEC",
      operation,
      "spec must be a partition, or partition/account, or partition/account/qos",
    );
  }
  if (gpu?.type !== undefined && !NAME.test(gpu.type)) {
    throw refusal("INVALID_SPEC", operation, "gpu.type must be a type of the cluster's gres.conf, as a100");
  }
  const token = randomBytes(6).toString("hex");
  const comment = writeComment({ ownership, token: script === undefined ? undefined : token });
  const bytes = Buffer.byteLength(comment);
  if (bytes > MAX_COMMENT_BYTES) {
    throw refusal(
      "INVALID_SPEC",
      operation,
      `key, name and labels take ${bytes} bytes, and a job's comment holds ${MAX_COMMENT_BYTES}`,
    );
  }
  const args = [
    "--output=/dev/null",
    "--chdir=/",
    "--nodes=1",
    "--ntasks=1",
    remote.requeue ? "--requeue" : "--no-requeue",
    `--cpus-per-task=${Math.ceil(resources?.cpus ?? 1)}`,
    ...option("partition", partition),
    ...option("account", account),
    ...option("qos", qos),
    ...option("time", remote.timeLimitMinutes),
    ...option(
      "mem",
      resources?.memoryBytes === undefined ? undefined : `${Math.ceil(resources.memoryBytes / MEBIBYTE)}M`,
    ),
    ...option(
      "gres",
      gpu === undefined ? undefined : ["gpu", gpu.type, gpu.count ?? 1].filter((one) => one !== undefined).join(":"),
    ),
    ...(remote.exclusive ? ["--exclusive"] : []),
  ];
  return { args, comment, token };
}

function option(name: string, value: string | number | undefined): readonly string[] {
  return value === undefined ? [] : [`--${name}=${value}`];
}
