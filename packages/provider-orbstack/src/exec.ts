import type { ExecOptions, ExecResult } from "@slipway/core";
import type { Call } from "./call.ts";
import type { OrbstackContext } from "./context.ts";
import { refusal } from "./errors.ts";
import { mustRun } from "./lookup.ts";

/** Runs a program inside as root, with its argument list as it is. What becomes of it when the call is aborted is not known. */
export async function execInside(
  context: OrbstackContext,
  id: string,
  argv: readonly string[],
  { stdin, onStdout, onStderr, signal }: ExecOptions = {},
): Promise<ExecResult> {
  const call: Call = { operation: "exec", signal };
  const [program] = argv;
  if (program === undefined || program === "") throw refusal("INVALID_SPEC", call.operation, "argv names no program");
  if (argv.some((part) => part.includes("\0"))) throw refusal("INVALID_SPEC", call.operation, "argv holds a NUL");
  const { info } = await mustRun(context, call, id);
  return await context.client.run(call, info.record.name, argv, { stdin, onStdout, onStderr });
}
