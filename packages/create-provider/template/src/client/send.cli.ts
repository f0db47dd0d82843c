import { ProviderError, runtimeDefaults, type CommandResult, type Schema } from "@slipway/core";
import { commandFailure, commandRunner } from "@slipway/provider-kit/command";
import type { Call } from "@slipway/provider-kit/driver";
import { PROVIDER, rowOf } from "../errors.ts";
import { DEFAULT_COMMAND, type __Name__Settings } from "../options.ts";
import { wireError } from "../wire.ts";

/** One request: what is done to which kind of thing. */
export interface Request<T> extends Call {
  readonly verb: "create" | "list" | "read" | "delete" | "save" | "wake";
  readonly thing: "machines" | "disks" | "captures";
  readonly id?: string | undefined;
  /** Goes over stdin: argument lists can be read by every user of the machine. */
  readonly body?: unknown;
  readonly answer: Schema<T>;
  readonly secrets?: readonly string[] | undefined;
}

export type Send = <T>(request: Request<T>) => Promise<T>;

const READS: ReadonlySet<string> = new Set(["list", "read"]);
const TIMEOUT_MS = 60_000;

export function sender({ command = DEFAULT_COMMAND, runtime }: __Name__Settings): Send {
  const { clock, log, onEvent } = runtimeDefaults(runtime);
  const exec = runtime?.exec ?? commandRunner({ provider: PROVIDER, clock, log, onEvent });
  return async ({ verb, thing, id, body, answer, operation, signal, secrets }) => {
    const effect = READS.has(verb) ? "none" : "unknown";
    const args = [thing, verb, ...(id === undefined ? [] : [id])];
    let result: CommandResult;
    try {
      const stdin = body === undefined ? undefined : JSON.stringify(body);
      result = await exec(command, args, { stdin, signal, timeoutMs: TIMEOUT_MS, secrets });
    } catch (error) {
      throw commandFailure(error, { provider: PROVIDER, operation, effect });
    }
    if (result.exitCode !== 0) throw failureOf(result, operation, effect);
    const read = await answer["~standard"].validate(parsed(result.stdout));
    if (read.issues === undefined) return read.value;
    throw new ProviderError("INTERNAL", {
      message: `${command} ${thing} ${verb} printed something else than was expected`,
      provider: PROVIDER,
      operation,
      effect: effect === "none" ? "none" : "applied",
    });
  };
}

function failureOf({ stderr, signal, exitCode }: CommandResult, operation: Call["operation"], effect: "none" | "unknown"): Error {
  const said = wireError(parsed(stderr));
  const row = rowOf(said?.code);
  if (said === undefined || row === undefined) {
    const how = signal === null ? `exit code ${exitCode}` : `signal ${signal}`;
    const message = `the command ended with ${how} and gave no reason that is known`;
    return new ProviderError("INTERNAL", { message, provider: PROVIDER, operation, effect });
  }
  return new ProviderError(row.code, {
    message: said.message,
    provider: PROVIDER,
    operation,
    effect: effect === "none" ? "none" : row.effect,
    scope: row.scope,
    hint: row.hint,
    native: { code: said.code },
  });
}

function parsed(text: string): unknown {
  try {
    return text.trim() === "" ? undefined : JSON.parse(text);
  } catch {
    return undefined;
  }
}
