import {
  type CommandResult,
  type Exec,
  type ExecOptions,
  type ExecResult,
  isProviderError,
  type Operation,
  ProviderError,
} from "@slipway/core";
import { commandFailure, isAtLeast, type Version, versionText } from "@slipway/provider-kit/command";
import type { Call } from "@slipway/provider-kit/driver";
import type * as z from "zod/mini";
import { answeredError, PROVIDER, rowOf } from "./errors.ts";
import { type RunRequest, runArguments, sizeText } from "./run-arguments.ts";
import { NEXT_MAJOR, OLDEST, parseVersion } from "./version.ts";
import {
  containersAnswer,
  isOldShape,
  networksAnswer,
  systemStatusAnswer,
  volumesAnswer,
  type WireContainer,
  type WireNetwork,
  type WireVolume,
} from "./wire.ts";

/** What a command inside a container may be given beside its arguments. Its time is the call's own. */
export type InsideOptions = Pick<ExecOptions, "stdin" | "onStdout" | "onStderr" | "timeoutMs"> & {
  readonly secrets?: readonly string[] | undefined;
};

/**
 * The only thing that runs `container`. Every command has a time limit of its own, past which it is ended and the call
 * rejects with TIMEOUT: for one that writes with the effect `unknown`, since the service goes on with it.
 */
export interface AppleContainerClient {
  /** Needs no service. UNSUPPORTED for a version whose answers are of another shape; the first answer is kept. */
  readonly version: (call: Call) => Promise<Version>;
  /** `running`, `unregistered` or `not running`. */
  readonly systemStatus: (call: Call) => Promise<string>;
  /** All containers but those of machines, ours or not, stopped ones too. */
  readonly containers: (call: Call) => Promise<readonly WireContainer[]>;
  /** Null only if the service says that there is none of this name. */
  readonly container: (call: Call, name: string) => Promise<WireContainer | null>;
  /** Creates and starts; resolves when its first process runs. CONFLICT with the native code `name-taken` if the name is in use. */
  readonly run: (call: Call, request: RunRequest) => Promise<void>;
  /** Idempotent for one that runs. */
  readonly start: (call: Call, name: string) => Promise<void>;
  readonly kill: (call: Call, name: string) => Promise<void>;
  /** Also of one that runs. Resolves for one that is gone. */
  readonly remove: (call: Call, name: string) => Promise<void>;
  /** A program inside with its argument list, never through a shell. A non-zero exit is a result. */
  readonly exec: (call: Call, name: string, argv: readonly string[], options?: InsideOptions) => Promise<ExecResult>;
  /** What its first process printed since its last start. */
  readonly logs: (call: Call, name: string) => Promise<string>;
  /** The same and what is to come. The command never ends by itself: abort it. */
  readonly followLogs: (call: Call, name: string, onChunk: (chunk: string) => void) => Promise<void>;
  /** Resolves when the image is on this machine; pulls it only if it is not. */
  readonly ensureImage: (call: Call, image: string) => Promise<void>;
  readonly volumes: (call: Call) => Promise<readonly WireVolume[]>;
  readonly createVolume: (
    call: Call,
    name: string,
    options: { readonly sizeBytes: number; readonly labels: Readonly<Record<string, string>> },
  ) => Promise<void>;
  /** Resolves for one that is gone. */
  readonly deleteVolume: (call: Call, name: string) => Promise<void>;
  /** UNSUPPORTED on macOS 15, which does not have the command. */
  readonly networks: (call: Call) => Promise<readonly WireNetwork[]>;
}

export interface ClientOptions {
  /** The program, by its name on the PATH or its path. */
  readonly executable: string;
  readonly exec: Exec;
}

const SECOND = 1000;
/** An ordinary command; milliseconds. */
const ORDINARY_MS: number = 30 * SECOND;
/** A virtual machine that starts or ends. */
export const MACHINE_MS: number = 120 * SECOND;
/** Hundreds of MiB over somebody's line. */
const PULL_MS: number = 600 * SECOND;
const FOR_EVER_MS: number = 2 ** 31 - 1;

interface Command {
  /** What the errors name: the first words of the arguments. */
  readonly verb: string;
  readonly args: readonly string[];
  readonly writes: boolean;
  readonly timeoutMs?: number | undefined;
  readonly inside?: InsideOptions | undefined;
  readonly onStdout?: ((chunk: string) => void) | undefined;
}

export function appleContainerClient({ executable, exec }: ClientOptions): AppleContainerClient {
  let known: Version | undefined;

  const send = async ({ operation, signal }: Call, command: Command): Promise<CommandResult> => {
    const { args, writes, inside, timeoutMs = ORDINARY_MS } = command;
    try {
      return await exec(executable, args, {
        signal,
        timeoutMs,
        stdin: inside?.stdin,
        onStdout: command.onStdout ?? inside?.onStdout,
        onStderr: inside?.onStderr,
        secrets: inside?.secrets,
      });
    } catch (error) {
      throw commandFailure(error, { provider: PROVIDER, operation, effect: writes ? "unknown" : "none" });
    }
  };

  const version = async (call: Call): Promise<Version> => {
    if (known !== undefined) return known;
    const result = await send(call, { verb: "--version", args: ["--version"], writes: false });
    if (result.exitCode !== 0) {
      throw answeredError({ verb: "--version", ...result }, { operation: call.operation, writes: false });
    }
    known = supportedVersion(result.stdout, call);
    return known;
  };

  const answered = async (call: Call, command: Command): Promise<CommandResult> => {
    await version(call);
    const result = await send(call, command);
    if (result.exitCode === 0) return result;
    throw answeredError(
      { verb: command.verb, exitCode: result.exitCode, stderr: result.stderr },
      { operation: call.operation, writes: command.writes, secrets: command.inside?.secrets },
    );
  };

  const reading = async <T>(call: Call, args: readonly string[], schema: z.ZodMiniType<T>): Promise<T> => {
    const verb = verbOf(args);
    const { stdout } = await answered(call, { verb, args, writes: false });
    return readAnswer(stdout, schema, verb, call);
  };
  const writing = async (call: Call, args: readonly string[], timeoutMs: number = ORDINARY_MS): Promise<void> => {
    await answered(call, { verb: verbOf(args), args, writes: true, timeoutMs });
  };

  const client: AppleContainerClient = {
    version,
    systemStatus: async (call) => {
      await version(call);
      const args = ["system", "status", "--format", "json"];
      const result = await send(call, { verb: "system status", args, writes: false });
      // Where the service is down it exits with 1, and answers all the same.
      if (result.stdout.trim().startsWith("{")) {
        return readAnswer(result.stdout, systemStatusAnswer, "system status", call).status;
      }
      throw answeredError({ verb: "system status", ...result }, { operation: call.operation, writes: false });
    },
    containers: (call) => reading(call, ["list", "--all", "--format", "json"], containersAnswer),
    container: async (call, name) => {
      const found = await orNull(reading(call, ["inspect", name], containersAnswer), "container-not-found");
      return found?.find(({ id }) => id === name) ?? null;
    },
    run: (call, request) => writing(call, runArguments(request), MACHINE_MS),
    start: (call, name) => writing(call, ["start", name], MACHINE_MS),
    kill: (call, name) => writing(call, ["kill", name]),
    remove: async (call, name) => {
      await orNull(writing(call, ["delete", "--force", name], MACHINE_MS), "container-not-found");
    },
    exec: async (call, name, argv, options = {}) => {
      const args = ["exec", ...(options.stdin === undefined ? [] : ["--interactive"]), name, ...argv];
      await version(call);
      const command = {
        verb: "exec",
        args,
        writes: true,
        timeoutMs: options.timeoutMs ?? FOR_EVER_MS,
        inside: options,
      };
      return await resultInside(client, call, name, await send(call, command));
    },
    logs: async (call, name) => (await answered(call, { verb: "logs", args: ["logs", name], writes: false })).stdout,
    followLogs: async (call, name, onStdout) => {
      const args = ["logs", "--follow", name];
      await answered(call, { verb: "logs", args, writes: false, timeoutMs: FOR_EVER_MS, onStdout });
    },
    ensureImage: async (call, image) => {
      const args = ["image", "inspect", image];
      const inspected = answered(call, { verb: "image inspect", args, writes: false });
      if ((await orNull(inspected, "image-not-found")) !== null) return;
      // An image on this machine is no part of what a spawn promises: a pull that fails has no effect.
      const pull = ["image", "pull", "--progress", "none", image];
      await answered(call, { verb: "image pull", args: pull, writes: false, timeoutMs: PULL_MS });
    },
    volumes: (call) => reading(call, ["volume", "list", "--format", "json"], volumesAnswer),
    createVolume: (call, name, { sizeBytes, labels }) => {
      const tags = Object.entries(labels).flatMap(([label, value]) => ["--label", `${label}=${value}`]);
      return writing(call, ["volume", "create", ...tags, "-s", sizeText(sizeBytes), name]);
    },
    deleteVolume: async (call, name) => {
      await orNull(writing(call, ["volume", "delete", name]), "volume-missing");
    },
    networks: (call) => reading(call, ["network", "list", "--format", "json"], networksAnswer),
  };
  return client;
}

function verbOf([first = "", second = ""]: readonly string[]): string {
  return ["image", "volume", "network"].includes(first) ? `${first} ${second}` : first;
}

/** Null where the command said that the thing is not there. */
async function orNull<T>(answer: Promise<T>, row: string): Promise<T | null> {
  try {
    return await answer;
  } catch (error) {
    if (isProviderError(error) && error.native?.code === row) return null;
    throw error;
  }
}

// What the program inside may print too, word for word: the container's state decides.
const MAYBE_OF_THE_COMMAND: ReadonlySet<string> = new Set([
  "service-down",
  "service-interrupted",
  "not-running",
  "container-not-found",
  "usage",
]);
/** What a shell answers for a program that is not there. */
const NOT_FOUND_EXIT = 127;
const SIGNALLED = 128;

/** The exit code passes through, and so the command's own failures have to be told from the program's. */
async function resultInside(
  client: AppleContainerClient,
  call: Call,
  name: string,
  { exitCode, stdout, stderr }: CommandResult,
): Promise<ExecResult> {
  const result = { exitCode: exitCode ?? SIGNALLED, stdout, stderr };
  if (exitCode === 0 || !/^Error: /m.test(stderr)) {
    if (exitCode !== null) return result;
    throw answeredError({ verb: "exec", exitCode, stderr }, { operation: call.operation, writes: true });
  }
  if (exitCode === 1 && /failed to find target executable/.test(stderr)) return { ...result, exitCode: NOT_FOUND_EXIT };
  const row = rowOf({ verb: "exec", exitCode, stderr });
  if (row === undefined || !MAYBE_OF_THE_COMMAND.has(row.id)) return result;
  // Throws where the service is down indeed.
  const now = await client.container(call, name);
  if (now?.status.state === "running" && row.id !== "usage") return result;
  if (now?.status.state === "running" && !/^Usage: container exec/m.test(stderr)) return result;
  throw answeredError({ verb: "exec", exitCode, stderr }, { operation: call.operation, writes: true });
}

/** What a command printed, as the schema wants it. INTERNAL for anything else, UNSUPPORTED for the shape of an old version. */
function readAnswer<T>(stdout: string, schema: z.ZodMiniType<T>, verb: string, { operation }: Call): T {
  let answer: unknown;
  try {
    answer = JSON.parse(stdout);
  } catch (cause) {
    throw misread(`container ${verb} answered something that is no JSON`, operation, cause);
  }
  if (isOldShape(answer)) {
    throw new ProviderError("UNSUPPORTED", {
      message: `container ${verb} answered in the shape of a version before ${versionText(OLDEST)}`,
      provider: PROVIDER,
      operation,
      effect: "none",
      hint: UPGRADE,
    });
  }
  const parsed = schema.safeParse(answer);
  if (parsed.success) return parsed.data;
  const where = parsed.error.issues[0]?.path.join(".") ?? "";
  throw misread(`container ${verb} answered another shape at ${where === "" ? "the top" : where}`, operation);
}

function misread(message: string, operation: Operation, cause?: unknown): ProviderError {
  return new ProviderError("INTERNAL", { message, provider: PROVIDER, operation, effect: "none", cause });
}

const UPGRADE = "Install container 1.2.2 or newer from https://github.com/apple/container/releases.";

/** The version that `container --version` printed; UNSUPPORTED for one whose answers are of another shape. */
function supportedVersion(printed: string, { operation }: Call): Version {
  const version = parseVersion(printed);
  const unsupported = (message: string): ProviderError =>
    new ProviderError("UNSUPPORTED", { message, provider: PROVIDER, operation, effect: "none", hint: UPGRADE });
  if (version === null) throw unsupported("`container --version` names no version that can be read");
  if (!isAtLeast(version, OLDEST)) {
    throw unsupported(`container ${versionText(version)} is too old: ${versionText(OLDEST)} to 1.4.x are supported`);
  }
  if (isAtLeast(version, NEXT_MAJOR)) {
    throw unsupported(
      `container ${versionText(version)} is not known yet: ${versionText(OLDEST)} to 1.4.x are supported`,
    );
  }
  return version;
}
