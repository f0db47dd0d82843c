import { abortError, type ExecOptions, type ExecResult } from "@slipway/core";
import { execInSandbox, findSandbox, SandboxError } from "@slipway/provider-kit/sandbox";
import type { LocalContext } from "./context.ts";
import { failure, PROVIDER_NAME, translated } from "./errors.ts";
import { nameOf } from "./ids.ts";
import { recordOf } from "./lookup.ts";
import { sandboxOf } from "./state/state.ts";

/** Runs a program inside, with its argument list as it is, in the instance's home directory. */
export async function execLocal(
  context: LocalContext,
  id: string,
  argv: readonly string[],
  options: ExecOptions = {},
): Promise<ExecResult> {
  const name = nameOf(id);
  const record = await recordOf(context, id, "exec");
  if (name === null || record === null) {
    throw failure("unknown-instance", "exec", `there is no instance ${JSON.stringify(id)}`);
  }
  const place = sandboxOf(context.state, name, record);
  const sandbox = record.process === null ? await findSandbox(place) : { ...place, process: record.process };
  if (sandbox === null) throw failure("not-running", "exec", `${id} has not started`);
  const { stdin, onStdout, onStderr, signal } = options;
  try {
    return await execInSandbox(sandbox, argv, { stdin, onStdout, onStderr, signal });
  } catch (error) {
    if (error instanceof SandboxError && error.reason === "aborted" && signal !== undefined) {
      throw abortError(signal, { provider: PROVIDER_NAME, operation: "exec", effect: "unknown" });
    }
    throw translated(error, "exec");
  }
}
