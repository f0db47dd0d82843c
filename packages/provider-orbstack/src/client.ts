import { statSync } from "node:fs";
import {
  type CommandResult,
  type ErrorEffect,
  type Exec,
  type ExecOptions,
  type ExecResult,
  isProviderError,
  type ProviderError,
} from "@slipway/core";
import { commandFailure, isCommandError, type Version } from "@slipway/provider-kit/command";
import * as z from "zod/mini";
import { readAnswer } from "./answers.ts";
import type { Call } from "./call.ts";
import { isMachineId } from "./context.ts";
import { type CreateRequest, createArguments } from "./create-arguments.ts";
import { answeredError, PROVIDER, refusal } from "./errors.ts";
import { afterBeginning, resultOf, wrapped } from "./inside.ts";
import type { Program } from "./options.ts";
import { supportedVersion } from "./version.ts";
import { infoAnswer, listAnswer, type WireInfo, type WireMachine } from "./wire.ts";

/** What a program inside a machine may be given beside its arguments. */
export type InsideOptions = Pick<ExecOptions, "stdin" | "onStdout" | "onStderr" | "timeoutMs"> & {
  readonly secrets?: readonly string[] | undefined;
  /** True: the program changes nothing that matters. */
  readonly reads?: boolean | undefined;
};

/**
 * The only thing that runs `orbctl`. Every command has a time limit of its own, past which it is ended and the call
 * rejects with TIMEOUT: for one that writes with the effect `unknown`, since OrbStack goes on with it. Machines are meant
 * by their ids, but where only a name is taken. No command here starts a machine but `start`, and `run` of one that is stopped.
 */
export interface OrbstackClient {
  /** UNSUPPORTED for one that is too old; the first answer is kept. */
  readonly version: (call: Call) => Promise<Version>;
  /** `Running`, or what it says instead. */
  readonly status: (call: Call) => Promise<string>;
  /** UNAVAILABLE unless OrbStack runs. Asked once for each call of the contract. */
  readonly mustBeUp: (call: Call) => Promise<void>;
  /** All machines but the built-in ones. UNAVAILABLE where the answer is not one of an OrbStack that runs. */
  readonly machines: (call: Call) => Promise<readonly WireMachine[]>;
  /** By id or name. Null only if OrbStack runs, and says that there is none. */
  readonly machine: (call: Call, selector: string) => Promise<WireInfo | null>;
  /** Resolves when it runs. CONFLICT with the native code `name-taken` if the name is in use. */
  readonly create: (call: Call, request: CreateRequest) => Promise<void>;
  /** Resolves when the copy is there, stopped. */
  readonly clone: (call: Call, from: string, to: string) => Promise<void>;
  readonly start: (call: Call, id: string) => Promise<void>;
  /** Idempotent. */
  readonly stop: (call: Call, id: string, options?: { readonly force?: boolean }) => Promise<void>;
  /** By name: by id it crashes. False where nobody has the name. */
  readonly remove: (call: Call, name: string) => Promise<boolean>;
  readonly configure: (call: Call, name: string, leaf: string, value: string) => Promise<void>;
  /** As root, with its argument list, never through a shell of the caller's words. A non-zero exit is a result. */
  readonly run: (call: Call, name: string, argv: readonly string[], options?: InsideOptions) => Promise<ExecResult>;
  readonly push: (call: Call, name: string, source: string, target: string) => Promise<void>;
  /** Also from one that is stopped, which stays so. */
  readonly pull: (call: Call, name: string, source: string, target: string) => Promise<void>;
  /** What its console printed. */
  readonly console: (call: Call, name: string) => Promise<string>;
}

const SECOND = 1000;
/** A command that is answered at once unless the engine is stuck. */
const BRIEF_MS: number = 15 * SECOND;
/** Typically 12 to 25 s; the first use of an image downloads it. */
export const CREATE_MS: number = 300 * SECOND;
const CLONE_MS: number = 120 * SECOND;
const MACHINE_MS: number = 90 * SECOND;
const DELETE_MS: number = 120 * SECOND;
const COPY_MS: number = 120 * SECOND;
const FOR_EVER_MS: number = 2 ** 31 - 1;

const INSTALL =
  "Install OrbStack (https://orbstack.dev, or `brew install orbstack`) and open it once; or name its orbctl in SLIPWAY_ORBCTL.";

/** What the user does about a program that cannot be run; undefined where the runner knows it. */
function hintFor(error: unknown, file: string): string | undefined {
  if (!isCommandError(error)) return undefined;
  if (error.notFound) return INSTALL;
  if (!error.notExecutable || !isFolder(file)) return undefined;
  return `${file} is a folder: name the program itself, in SLIPWAY_ORBCTL or the option executable.`;
}

function isFolder(path: string): boolean {
  try {
    return statSync(path).isDirectory();
  } catch {
    return false;
  }
}

interface Command {
  readonly args: readonly string[];
  readonly writes: boolean;
  readonly timeoutMs: number;
  readonly inside?: InsideOptions | undefined;
}

export function orbstackClient({ candidates, environment }: Program, exec: Exec): OrbstackClient {
  let known: { readonly file: string; readonly version: Version } | undefined;
  const up = new WeakMap<Call, Promise<void>>();

  const send = async (file: string, { operation, signal }: Call, command: Command): Promise<CommandResult> => {
    const { args, writes, timeoutMs, inside } = command;
    try {
      return await exec(file, args, {
        signal,
        timeoutMs,
        env: environment,
        stdin: inside?.stdin,
        onStdout: inside?.onStdout,
        onStderr: inside?.onStderr,
        secrets: inside?.secrets,
      });
    } catch (error) {
      const effect: ErrorEffect = writes ? "unknown" : "none";
      throw commandFailure(error, { provider: PROVIDER, operation, effect, hint: hintFor(error, file) });
    }
  };

  const found = async (call: Call): Promise<{ readonly file: string; readonly version: Version }> => {
    if (known !== undefined) return known;
    let missing: unknown;
    for (const file of candidates) {
      try {
        const result = await send(file, call, { args: ["version"], writes: false, timeoutMs: BRIEF_MS });
        if (result.exitCode !== 0) throw answeredErrorOf(call, result, { args: ["version"], writes: false });
        known = { file, version: supportedVersion(result.stdout, call) };
        return known;
      } catch (error) {
        if (!(isProviderError(error) && isCommandError(error.cause) && error.cause.notFound)) throw error;
        missing ??= error;
      }
    }
    throw missing;
  };

  const answered = async (call: Call, command: Command): Promise<CommandResult> => {
    const { file } = await found(call);
    const result = await send(file, call, command);
    if (result.exitCode === 0) return result;
    throw await failureOf(call, result, command);
  };
  const reading = async (call: Call, ...args: readonly string[]): Promise<string> =>
    (await answered(call, { args, writes: false, timeoutMs: BRIEF_MS })).stdout;
  const writing = async (call: Call, timeoutMs: number, ...args: readonly string[]): Promise<void> => {
    await answered(call, { args, writes: true, timeoutMs });
  };

  const status = async (call: Call): Promise<string> => {
    const { file } = await found(call);
    const asked = send(file, call, { args: ["status"], writes: false, timeoutMs: BRIEF_MS });
    // While it is stopped the exit code need not be 0: the word counts. An engine that is stuck says none.
    const { stdout } = await asked.catch((error: unknown) => {
      if (!isProviderError(error) || error.code !== "TIMEOUT" || call.signal?.aborted === true) throw error;
      return { stdout: "" };
    });
    return /^(Running|Stopped|Starting)\s*$/m.exec(stdout)?.[1] ?? "not running";
  };
  const assertUp = async (call: Call): Promise<void> => {
    const now = await status(call);
    if (now !== "Running") throw notUp(call, now, "none");
  };
  /** In which words a command fails while OrbStack is off is not known: so after unknown ones it is asked. */
  const failureOf = async (call: Call, result: CommandResult, command: Command): Promise<ProviderError> => {
    const error = answeredErrorOf(call, result, command);
    if (error.native?.code !== "unknown" || call.signal?.aborted === true) return error;
    const now = await status(call).catch(() => "Running");
    return now === "Running" ? error : notUp(call, now, error.effect);
  };

  const infoOf = async (call: Call, selector: string): Promise<WireInfo | null> => {
    const stdout = await orNull(reading(call, "info", selector, "--format", "json"), "machine-not-found");
    if (stdout !== null) return readAnswer(stdout, infoAnswer, "info", call);
    await assertUp(call);
    return null;
  };
  /** Machines whose ids are other machines' names, by those ids: they can be meant by their own names alone. */
  const shadowed = new Map<string, string>();
  const handle = (call: Call, id: string): string => checked(call, shadowed.get(id) ?? id);
  const behindName = async (call: Call, id: string): Promise<WireInfo | null> => {
    const row = (await client.machines(call)).find((each) => each.id === id);
    if (row === undefined) return null;
    const info = await infoOf(call, row.name);
    if (info?.record.id !== id) {
      throw refusal("UNAVAILABLE", call.operation, `${id} is renamed or removed just now: try again in a moment`);
    }
    shadowed.set(id, row.name);
    return info;
  };

  const client: OrbstackClient = {
    version: async (call) => (await found(call)).version,
    status,
    mustBeUp: (call) => {
      const asked = up.get(call) ?? assertUp(call);
      up.set(call, asked);
      return asked;
    },
    machines: async (call) => {
      await client.mustBeUp(call);
      const stdout = await reading(call, "list", "--format", "json");
      const rows = readAnswer(stdout, z.union([z.null(), listAnswer]), "list", call);
      // Older ones say null for none; an engine that goes down may say either.
      if (rows === null) {
        throw refusal("UNAVAILABLE", call.operation, "OrbStack does not say which machines there are");
      }
      if (rows.length === 0) await assertUp(call);
      return rows.filter(({ builtin }) => !builtin);
    },
    machine: async (call, selector) => {
      await client.mustBeUp(call);
      assertSelector(call, selector);
      const info = await infoOf(call, selector);
      if (!isMachineId(selector)) return info?.record.name === selector ? info : null;
      shadowed.delete(selector);
      // A name goes before an id: one that is called as another's id is not that one.
      return info === null || info.record.id === selector ? info : await behindName(call, selector);
    },
    create: (call, request) => writing(call, CREATE_MS, ...createArguments(request)),
    clone: (call, from, to) => writing(call, CLONE_MS, "clone", checked(call, from), checked(call, to)),
    start: (call, id) => writing(call, MACHINE_MS, "start", handle(call, id)),
    stop: (call, id, { force = false } = {}) =>
      writing(call, MACHINE_MS, "stop", ...(force ? ["--force"] : []), handle(call, id)),
    remove: async (call, name) => {
      const removed = writing(call, DELETE_MS, "delete", "--force", checked(call, name)).then(() => true);
      return (await orNull(removed, "machine-not-found")) ?? false;
    },
    configure: (call, name, leaf, value) =>
      writing(call, BRIEF_MS, "config", "set", `machine.${checked(call, name)}.${leaf}`, value),
    run: async (call, name, argv, options = {}) => {
      const { onStderr } = options;
      const args = ["run", "-m", checked(call, name), "-u", "root", "-w", "/root", ...wrapped(argv)];
      // A value that happens to stand in our own words tells nothing there, and would be refused in an argument.
      const secrets = options.secrets?.filter((secret) => !args.some((word) => word.includes(secret)));
      const command = {
        args,
        writes: options.reads !== true,
        timeoutMs: options.timeoutMs ?? FOR_EVER_MS,
        inside: { ...options, secrets, onStderr: onStderr === undefined ? undefined : afterBeginning(onStderr) },
      };
      const { file } = await found(call);
      const result = await send(file, call, command);
      const inside = resultOf(result);
      if (inside === null) throw await failureOf(call, result, command);
      return inside;
    },
    push: (call, name, source, target) => writing(call, COPY_MS, "push", "-m", checked(call, name), source, target),
    pull: async (call, name, source, target) => {
      const args = ["pull", "-m", checked(call, name), source, target];
      await answered(call, { args, writes: false, timeoutMs: COPY_MS });
    },
    console: (call, name) => reading(call, "logs", checked(call, name)),
  };
  return client;
}

function notUp({ operation }: Call, status: string, effect: ErrorEffect): ProviderError {
  const hint = "Start it with `orbctl start`, or open OrbStack.";
  return refusal("UNAVAILABLE", operation, `OrbStack is ${status}`, { effect, hint });
}

/** Without a name `stop` stops all of OrbStack, and Docker with it. */
function checked(call: Call, selector: string): string {
  assertSelector(call, selector);
  return selector;
}

function assertSelector({ operation }: Call, selector: string): void {
  if (/^[A-Za-z0-9][A-Za-z0-9_.-]{0,127}$/.test(selector) && !RESERVED.has(selector)) return;
  throw refusal("INVALID_SPEC", operation, `${JSON.stringify(selector)} cannot be a machine`);
}

const RESERVED: ReadonlySet<string> = new Set(["docker", "k8s", "none"]);

function answeredErrorOf(
  { operation }: Call,
  { exitCode, stderr }: CommandResult,
  { args, writes, inside }: Pick<Command, "args" | "writes" | "inside">,
): ProviderError {
  return answeredError({ verb: args[0] ?? "", exitCode, stderr }, { operation, writes, secrets: inside?.secrets });
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
