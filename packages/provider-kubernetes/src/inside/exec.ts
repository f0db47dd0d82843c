import { abortError, type Clock, type ExecOptions, type ExecResult } from "@slipway/core";
import type { Call } from "@slipway/provider-kit/driver";
import * as z from "zod/mini";
import { bytesOf, type ClusterSocket } from "../access/connection.ts";
import type { Machine } from "../driver.ts";
import { MAIN_CONTAINER } from "../instance.ts";
import type { KubernetesRemote } from "../remote.ts";
import { statusOf } from "../statuses.ts";

// https://kubernetes.io/docs/reference/generated/kubernetes-api: the first byte of each message.
const STDIN = 0;
const STDOUT = 1;
const STDERR = 2;
const STATUS = 3;
const CLOSE = 255;
/** Only the fifth version can end a command's input. */
const WITH_CLOSE = "v5.channel.k8s.io";
const WITHOUT_CLOSE = "v4.channel.k8s.io";

const STDIN_CHUNK_BYTES = 256 * 1024;
const MAX_OUTPUT_BYTES = 64 * 1024 * 1024;
const PING_MS = 30_000;
const KILL_MS = 10_000;
const KILL_AGAIN_MS = 1_000;

// The server leaves a command running when its caller is gone. So each bears a token, by which all of its processes are found.
const TOKEN = "SLIPWAY_EXEC";
const RUN = `export ${TOKEN}="$1"; shift; exec "$@"`;
const BEARS = `tr "\\0" "\\n" < "$p/environ" | grep -qx "${TOKEN}=$1"`;
const KILL = `for p in /proc/[0-9]*; do if ${BEARS}; then kill -KILL "\${p#/proc/}"; fi; done 2>/dev/null; true`;

const status = z.object({
  status: z.string(),
  message: z.nullish(z.string()),
  details: z.nullish(
    z.object({
      causes: z.nullish(z.array(z.object({ reason: z.nullish(z.string()), message: z.nullish(z.string()) }))),
    }),
  ),
});

/** The provider's parts that a call into a pod needs. */
export type Inside = Pick<KubernetesRemote, "refuse"> & { readonly clock: Clock; readonly provider: string };

/** Runs a program in the main container, as a list of arguments. Needs `/bin/sh` there; a program that is missing exits 127. */
export async function execInside(
  inside: Inside,
  call: Call,
  machine: Machine,
  argv: readonly string[],
  options: ExecOptions,
): Promise<ExecResult> {
  const { refuse, provider } = inside;
  const { signal } = call;
  const [program = ""] = argv;
  if (program === "") throw refuse("INVALID_SPEC", call.operation, "argv names no program");
  if (argv.some((word) => word.includes("\0"))) throw refuse("INVALID_SPEC", call.operation, "argv holds a NUL");
  mustRun(inside, call, machine);
  const token = crypto.randomUUID();
  // Without the signal: a command that has begun is ended, and not left alone.
  const socket = await open(
    machine,
    { operation: call.operation },
    ["/bin/sh", "-c", RUN, "sh", token, ...argv],
    options.stdin,
  );
  const ended = new AbortController();
  let isKilled = false;
  const kill = async (): Promise<void> => {
    isKilled = true;
    inside.clock.sleep(KILL_MS, ended.signal).then(socket.cut, () => undefined);
    // What was being started while the others were killed is seen by the next look.
    while (!ended.signal.aborted) {
      await killAll(inside, call, machine, token).catch(() => undefined);
      await inside.clock.sleep(KILL_AGAIN_MS, ended.signal).catch(() => undefined);
    }
  };
  const onAbort = (): void => void kill();
  if (signal?.aborted === true) onAbort();
  signal?.addEventListener("abort", onAbort, { once: true });
  try {
    const result = await run(inside, call, socket, options, ended.signal);
    if (!isKilled) return result;
  } catch (error) {
    if (!isKilled) throw error;
  } finally {
    ended.abort();
    signal?.removeEventListener("abort", onAbort);
    socket.cut();
  }
  throw abortError(signal ?? AbortSignal.abort(), { provider, operation: call.operation, effect: "unknown" });
}

/** Throws INVALID_STATE unless the pod runs. */
function mustRun({ refuse }: Inside, { operation }: Call, { pod }: Machine): void {
  const { status: now, reason } = statusOf(pod);
  if (now === "running") return;
  const why = reason === undefined ? "" : `: ${reason.message}`;
  throw refuse("INVALID_STATE", operation, `the pod ${pod.metadata.name} is ${now}, not running${why}`);
}

async function open(
  { client, pod }: Machine,
  call: Call,
  command: readonly string[],
  stdin: string | undefined,
): Promise<ClusterSocket> {
  const query = [
    ["container", MAIN_CONTAINER],
    ["stdout", "true"],
    ["stderr", "true"],
    ...(stdin === undefined ? [] : [["stdin", "true"] as const]),
    ...command.map((word) => ["command", word] as const),
  ] as const;
  const protocols = stdin === undefined ? [WITH_CLOSE, WITHOUT_CLOSE] : [WITH_CLOSE];
  return await client.attach(call, pod.metadata.name, "exec", query, protocols);
}

/** Reads a command to its end. Rejects with effect `unknown` where the connection ends before the command is known to. */
async function run(
  inside: Inside,
  call: Call,
  socket: ClusterSocket,
  { stdin, onStdout, onStderr }: Pick<ExecOptions, "stdin" | "onStdout" | "onStderr">,
  ended: AbortSignal,
): Promise<ExecResult> {
  const { refuse } = inside;
  const unknown = (message: string, cause?: unknown): Error =>
    refuse("NETWORK", call.operation, message, { effect: "unknown", cause });
  const stdout = collector(onStdout);
  const stderr = collector(onStderr);
  void watchOver(inside.clock, socket, ended);
  if (stdin !== undefined) {
    const bytes = Buffer.from(stdin, "utf8");
    for (let at = 0; at < bytes.length; at += STDIN_CHUNK_BYTES) {
      socket.messages.write(Buffer.concat([Uint8Array.of(STDIN), bytes.subarray(at, at + STDIN_CHUNK_BYTES)]));
    }
    socket.messages.write(Uint8Array.of(CLOSE, STDIN));
  }
  try {
    for await (const message of socket.messages) {
      const bytes = bytesOf(message);
      const rest = bytes.subarray(1);
      if (bytes[0] === STDOUT) stdout.add(rest);
      if (bytes[0] === STDERR) stderr.add(rest);
      if (stdout.size() + stderr.size() > MAX_OUTPUT_BYTES) {
        throw refuse("INTERNAL", call.operation, "the command printed more than 64 MiB", { effect: "unknown" });
      }
      if (bytes[0] !== STATUS || rest.length === 0) continue;
      const hasPrinted = stdout.size() + stderr.size() > 0;
      const exitCode = exitCodeIn(rest, (said) => failedRun(inside, call, said, hasPrinted));
      return { exitCode, stdout: stdout.end(), stderr: stderr.end() };
    }
  } catch (error) {
    if (error instanceof Error && "effect" in error) throw error;
    throw unknown("the connection to the command broke; it may still run", error);
  }
  throw unknown("the connection to the command ended before the command did; it may still run");
}

function exitCodeIn(json: Uint8Array, refused: (message: string) => Error): number {
  const text = Buffer.from(json).toString("utf8");
  const parsed = status.safeParse(JSON.parse(text));
  if (parsed.success && parsed.data.status === "Success") return 0;
  const cause = parsed.data?.details?.causes?.find(({ reason }) => reason === "ExitCode");
  const code = Number(cause?.message ?? Number.NaN);
  if (Number.isInteger(code)) return code;
  throw refused(parsed.data?.message ?? text);
}

/** The runtime has no exit code. That the shell is missing is known of its start; all else may have ended a command that ran. */
function failedRun({ refuse }: Inside, { operation }: Call, message: string, hasPrinted: boolean): Error {
  const said = message.slice(0, 500);
  if (!hasPrinted && /no such file or directory|executable file not found/.test(message)) {
    return refuse("UNSUPPORTED", operation, `the image has no /bin/sh, by which commands are run: ${said}`);
  }
  const what = "the command could not be started, or its end is not known; it may still run";
  return refuse("INVALID_STATE", operation, `${what}: ${said}`, { effect: "unknown" });
}

/** Ends every process of the command, whatever group or session it has gone to. */
async function killAll(inside: Inside, call: Call, machine: Machine, token: string): Promise<void> {
  const limit = new AbortController();
  const stop = new AbortController();
  inside.clock.sleep(KILL_MS, stop.signal).then(
    () => limit.abort(),
    () => undefined,
  );
  try {
    const own = { operation: call.operation, signal: limit.signal };
    const socket = await open(machine, own, ["/bin/sh", "-c", KILL, "sh", token], undefined);
    limit.signal.addEventListener("abort", () => socket.cut(), { once: true });
    await run(inside, own, socket, {}, stop.signal);
  } finally {
    stop.abort();
  }
}

/** Asks for an answer every half minute: a peer that is gone would else leave the command without an end for ever. */
async function watchOver(clock: Clock, socket: ClusterSocket, ended: AbortSignal): Promise<void> {
  let answered = true;
  socket.onPong(() => {
    answered = true;
  });
  try {
    while (answered) {
      await clock.sleep(PING_MS, ended);
      if (!answered) break;
      answered = false;
      socket.ping();
      await clock.sleep(PING_MS, ended);
    }
    socket.cut();
  } catch {
    // The command has ended.
  }
}

function collector(listener: ((chunk: string) => void) | undefined) {
  const decoder = new TextDecoder();
  let text = "";
  let size = 0;
  const take = (chunk: string): void => {
    text += chunk;
    if (chunk !== "") listener?.(chunk);
  };
  return {
    size: () => size,
    add: (bytes: Uint8Array): void => {
      size += bytes.length;
      take(decoder.decode(bytes, { stream: true }));
    },
    end: (): string => {
      take(decoder.decode());
      return text;
    },
  };
}
