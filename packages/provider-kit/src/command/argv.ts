import type { ExecMethods, ExecOptions, ExecResult, Operation } from "@slipway/core";
import type { Call } from "../driver/driver.ts";
import type { Refusal } from "../errors/refusal.ts";

/** Throws INVALID_SPEC for what no system can start: nothing, and a word with a NUL. */
export function checkArgv(argv: readonly string[], operation: Operation, refuse: Refusal): void {
  if ((argv[0] ?? "") === "") throw refuse("INVALID_SPEC", operation, "argv names no program");
  if (argv.some((word) => word.includes("\0"))) throw refuse("INVALID_SPEC", operation, "argv holds a NUL");
}

/** What a program inside an instance is given beside its arguments. */
export type InsideInput = Pick<ExecOptions, "stdin" | "onStdout" | "onStderr">;

/**
 * The method `exec` of a provider: `run` gets an argument list that a system can start.
 *
 * @example
 * ```ts
 * const exec = execMethod(refuse, async (call, id, argv, input) => {
 *   return await client.run(call, await mustRun(call, id), argv, input);
 * });
 * ```
 */
export function execMethod(
  refuse: Refusal,
  run: (call: Call, id: string, argv: readonly string[], input: InsideInput) => Promise<ExecResult>,
): ExecMethods["exec"] {
  return async (id, argv, { stdin, onStdout, onStderr, signal } = {}) => {
    const call: Call = { operation: "exec", signal };
    checkArgv(argv, call.operation, refuse);
    return await run(call, id, argv, { stdin, onStdout, onStderr });
  };
}
