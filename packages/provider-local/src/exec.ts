import { abortError, type ExecOptions, type ExecResult, type Operation, type TerminalCommand } from "@slipway/core";
import {
  execInSandbox,
  findSandbox,
  type Sandbox,
  SandboxError,
  sandboxState,
  sandboxTerminal,
} from "@slipway/provider-kit/sandbox";
import { type LocalContext, nameOf } from "./context.ts";
import { failure, PROVIDER_NAME, translated } from "./errors.ts";
import { recordOf } from "./lookup.ts";
import { sandboxOf } from "./state/state.ts";

/** Runs a program inside, with its argument list as it is, in the instance's home directory. */
export async function execLocal(
  context: LocalContext,
  id: string,
  argv: readonly string[],
  options: ExecOptions = {},
): Promise<ExecResult> {
  const sandbox = await mustFind(context, id, "exec");
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

/** A command of this machine that runs a program inside, on the terminal that it is started on. Starts nothing. */
export async function terminalLocal(
  context: LocalContext,
  id: string,
  argv: readonly string[],
): Promise<TerminalCommand> {
  const sandbox = await mustFind(context, id, "terminalCommand");
  if ((await sandboxState(sandbox)) !== "alive") throw failure("not-running", "terminalCommand", `${id} has ended`);
  try {
    return await sandboxTerminal(sandbox, argv);
  } catch (error) {
    throw translated(error, "terminalCommand", "none");
  }
}

async function mustFind(context: LocalContext, id: string, operation: Operation): Promise<Sandbox> {
  const name = nameOf(id);
  const record = await recordOf(context, id, operation);
  if (name === null || record === null) {
    throw failure("unknown-instance", operation, `there is no instance ${JSON.stringify(id)}`);
  }
  const place = sandboxOf(context.state, name, record);
  const sandbox = record.process === null ? await findSandbox(place) : { ...place, process: record.process };
  if (sandbox === null) throw failure("not-running", operation, `${id} has not started`);
  return sandbox;
}
