import { abortError, type Clock, deadline, isProviderError, ProviderError } from "@slipway/core";
import type { OpenFile } from "@slipway/provider-kit/command";
import { END_TIMEOUT_MS } from "./end-command.ts";
import { pause } from "./pause.ts";
import { refusal } from "./refusal.ts";
import type { FollowOptions, Job, JobOptions, JobOutput, Session, SessionResult } from "./session.ts";

/** What a job needs of its session. */
export interface JobHost {
  readonly provider: string;
  readonly instanceId: string;
  readonly clock: Clock;
  readonly exec: Session["exec"];
  /** Runs a command that reads a stream. Absent: its exec takes none. */
  readonly send?: (
    argv: readonly string[],
    input: AsyncIterable<Uint8Array>,
    signal: AbortSignal | undefined,
  ) => Promise<SessionResult>;
  /** Runs a command that reads an open file, of which no byte goes through this process. Absent: its exec takes none. */
  readonly sendFile?: (
    argv: readonly string[],
    file: OpenFile,
    signal: AbortSignal | undefined,
  ) => Promise<SessionResult>;
}

const POLL_MS = 500;
const RECONNECT_MS = 60_000;
const CHUNK_BYTES = 256 * 1024;
const JOB_ID = /^[0-9a-f-]{36}$/;

const DIRECTORY = 'd="$HOME/.slipway-jobs/$1"; shift';
// The wrapper is the leader of the job's group. It survives a signal to the group, and so does what writes the exit code. The
// job's own process says that it can be killed: before it, a signal would be lost. Then it looks whether its start was withdrawn.
const WRAPPER = [
  'exec >/dev/null 2>&1 </dev/null; starter="$1"; d="$2"; shift 2; trap : TERM INT HUP',
  '(echo $$ >"$d/pid.new" && mv "$d/pid.new" "$d/pid" || exit 125; [ ! -s "$d/code" ] || exit 137; kill -s KILL "$starter"; "$@") >"$d/log" 2>&1',
  'code=$?; trap "" TERM INT HUP; echo "$code" >"$d/code.new"; mv "$d/code.new" "$d/code"',
].join("; ");
// A shell's background commands never get INT, so the job runs in the foreground of a shell that it ends.
// Who makes the job's directory starts it; whoever repeats that waits for it.
const START = [
  `umask 077; ${DIRECTORY}; mkdir -p "\${d%/*}" || exit 125; i=0`,
  'if mkdir "$d" 2>/dev/null; then',
  `/bin/sh -c 'wrapper="$1"; shift; setsid /bin/sh -c "$wrapper" sh $$ "$@"; exit 125' sh '${WRAPPER}' "$d" "$@"`,
  'else while [ -d "$d" ] && [ ! -s "$d/pid" ] && [ ! -s "$d/code" ] && [ "$i" -lt 50 ]; do sleep 0.2; i=$((i + 1)); done; fi',
  '[ -s "$d/pid" ] || [ -s "$d/code" ] || exit 125',
].join("\n");
// The state is read before the output, so an end that is seen has all of the output before it.
const LOOK = [
  DIRECTORY,
  'state() { if [ -s "$d/code" ]; then cat "$d/code"; else return 1; fi; }',
  // Of no process id busybox says that it runs.
  'state || { p=$(cat "$d/pid" 2>/dev/null) && kill -s 0 "$p" 2>/dev/null && echo running; } || state || echo gone',
  `tail -c "+$1" "$d/log" 2>/dev/null | head -c ${CHUNK_BYTES} | base64`,
].join("\n");
// dash does nothing without a `--` before a negative number. busybox takes it for a process that is not there, and would
// send the signal twice if it came first.
const SIGNAL = '{ kill -s "$1" "-$p" || kill -s "$1" -- "-$p"; } 2>/dev/null';
const KILL = [
  `${DIRECTORY}; [ -s "$d/code" ] && exit 0; p=$(cat "$d/pid" 2>/dev/null) || exit 0`,
  SIGNAL,
  '[ "$1" != KILL ] || [ -s "$d/code" ] || echo 137 >"$d/code"',
].join("\n");
// Ends what began under an id, and what is still on its way begins no more: the one finds its directory made, the other one that
// has not said its process id finds an exit code. Each writes before it reads, so that one of the two sees the other.
const WITHDRAW = [
  `umask 077; ${DIRECTORY}; mkdir -p "\${d%/*}"; mkdir "$d" 2>/dev/null; [ -s "$d/code" ] && exit 0`,
  '[ -s "$d/pid" ] || { echo 137 >"$d/code.$$" && mv "$d/code.$$" "$d/code"; }',
  'p=$(cat "$d/pid" 2>/dev/null) || exit 0; set -- KILL',
  SIGNAL,
  '[ -s "$d/code" ] || echo 137 >"$d/code"',
].join("\n");

/** Starts a job and returns it. */
export async function startJob(
  host: JobHost,
  argv: readonly string[],
  { id = crypto.randomUUID(), timeoutMs, ...options }: JobOptions = {},
): Promise<Job> {
  if (argv.length === 0) throw refusal("INVALID_SPEC", host.provider, "start", "a job needs at least one word");
  const job = attachJob(host, id);
  const limit = timeoutMs === undefined ? null : deadline(host.clock, timeoutMs, options.signal);
  const started = await begin(host, id, argv, limit === null ? options : { ...options, signal: limit.signal }).finally(
    () => limit?.release(),
  );
  if (started.exitCode === 126) {
    throw refusal("INVALID_SPEC", host.provider, "start", `the job's cwd cannot be entered: ${started.stderr.trim()}`);
  }
  if (started.exitCode === 0) return job;
  throw new ProviderError("INTERNAL", {
    message: `the job did not start on ${host.instanceId}: ${started.stderr.trim().slice(-300)}`,
    provider: host.provider,
    operation: "start",
    effect: "unknown",
  });
}

/** A start whose answer is lost is repeated, since nothing starts twice under one id. One that is aborted is ended. */
async function begin(
  host: JobHost,
  id: string,
  argv: readonly string[],
  options: Omit<JobOptions, "id" | "timeoutMs">,
): Promise<SessionResult> {
  const { clock } = host;
  const { signal } = options;
  const until = clock.now() + RECONNECT_MS;
  for (let lost: unknown; ; ) {
    try {
      if (lost !== undefined) await pause(host, "start", POLL_MS, signal);
      return await host.exec(["/bin/sh", "-c", START, "sh", id, ...argv], options);
    } catch (error) {
      // An attempt that did nothing says nothing of the one before it.
      const mayRun = lost !== undefined || !isProviderError(error) || error.effect !== "none";
      if (!mayRun) throw error;
      if (signal?.aborted === true) {
        await host.exec(["/bin/sh", "-c", WITHDRAW, "sh", id], { timeoutMs: END_TIMEOUT_MS }).catch(() => undefined);
        throw abortError(signal, { provider: host.provider, operation: "start", effect: "unknown" });
      }
      lost ??= error;
      if (!isProviderError(error) || !error.retryable || clock.now() >= until) throw lost;
    }
  }
}

/** The job of an id. */
export function attachJob(host: JobHost, id: string): Job {
  if (!JOB_ID.test(id)) throw refusal("INVALID_SPEC", host.provider, "job", "this is not the id of a job");
  return {
    id,
    follow: (options = {}) => follow(host, id, options),
    result: async (options = {}) => {
      for (let wait = false; ; wait = true) {
        if (wait) await pause(host, "result", POLL_MS, options.signal);
        const { exitCode } = await look(host, id, Number.MAX_SAFE_INTEGER, options);
        if (exitCode !== null) return { exitCode };
      }
    },
    kill: async (signal = "TERM") => {
      await host.exec(["/bin/sh", "-c", KILL, "sh", id, signal]);
    },
  };
}

async function* follow(host: JobHost, id: string, options: FollowOptions): AsyncGenerator<JobOutput> {
  const decoder = new TextDecoder("utf-8", { ignoreBOM: true });
  let at = options.fromByte ?? 0;
  for (;;) {
    const { exitCode, bytes } = await look(host, id, at, options);
    const isLast = exitCode !== null && bytes.length < CHUNK_BYTES;
    const whole = isLast ? bytes : bytes.subarray(0, bytes.length - incompleteTail(bytes));
    at += whole.length;
    if (whole.length > 0) yield { text: decoder.decode(whole), nextByte: at };
    if (isLast) return;
    if (bytes.length < CHUNK_BYTES) await pause(host, "follow", POLL_MS, options.signal);
  }
}

/** How many bytes at the end begin a character whose rest is still to come. */
export function incompleteTail(bytes: Uint8Array): number {
  for (let back = 1; back <= Math.min(3, bytes.length); back += 1) {
    const byte = bytes[bytes.length - back] ?? 0;
    if (byte < 0x80) return 0;
    if (byte < 0xc0) continue;
    const length = byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : 2;
    return back < length ? back : 0;
  }
  return 0;
}

/** One look. It changes nothing, so a lost connection is simply tried again. */
async function look(
  host: JobHost,
  id: string,
  at: number,
  { signal, reconnectMs = RECONNECT_MS }: FollowOptions,
): Promise<{ readonly exitCode: number | null; readonly bytes: Uint8Array }> {
  const { clock } = host;
  const until = clock.now() + reconnectMs;
  for (;;) {
    try {
      const { stdout } = await host.exec(["/bin/sh", "-c", LOOK, "sh", id, String(at + 1)], { signal });
      const [state = "", ...encoded] = stdout.split("\n");
      if (state === "gone") throw gone(host, id);
      const bytes = Buffer.from(encoded.join(""), "base64");
      return { exitCode: /^\d+$/.test(state) ? Number(state) : null, bytes };
    } catch (error) {
      if (!isProviderError(error) || !error.retryable || clock.now() >= until) throw error;
    }
    await pause(host, "follow", POLL_MS, signal);
  }
}

function gone({ provider, instanceId }: JobHost, id: string): Error {
  return refusal("INVALID_STATE", provider, "job", `job ${id} is not on ${instanceId}, or ended without an exit code`, {
    hint: "It was killed, or the instance was restarted. What it printed until then may still be in its log.",
  });
}
