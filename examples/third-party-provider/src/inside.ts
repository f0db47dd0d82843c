import type { ExecOptions, ExecResult, LogOptions } from "@slipway/core";
import type { SshContext } from "./context.ts";
import { failureOf, refusal } from "./errors.ts";
import { find, type Held } from "./lookup.ts";

/** The claim that a call is about; NOT_FOUND if there is none. */
export async function mustFind(
  context: SshContext,
  operation: string,
  id: string,
  signal?: AbortSignal,
): Promise<Held> {
  const found = await find(context, { operation, signal }, id);
  if (found !== null) return found;
  throw refusal("NOT_FOUND", operation, `there is no instance ${JSON.stringify(id)}`);
}

const NOT_HELD = 254;
const SSH_FAILED = 255;

/** Runs a program on the host, in the claim's directory, with its argument list as it is. */
export async function execOn(
  context: SshContext,
  id: string,
  argv: readonly string[],
  { signal, timeoutMs, ...streams }: ExecOptions = {},
): Promise<ExecResult> {
  const { host, claim } = await mustFind(context, "exec", id, signal);
  const call = { operation: "exec", signal };
  const command = { ...streams, verb: "exec", args: [claim.id, ...argv], timeoutMs } as const;
  const result = await context.client.end(call, host, command);
  if (result.exitCode === NOT_HELD) throw refusal("NOT_FOUND", call.operation, `${id} has ended meanwhile`);
  if (result.exitCode === null || result.exitCode === SSH_FAILED) {
    throw failureOf(result, { operation: call.operation, effect: "unknown", host: host.name });
  }
  return { exitCode: result.exitCode, stdout: result.stdout, stderr: result.stderr };
}

const POLL_MS = 500;

/** What the bootstrap printed. With `follow` until it has ended, or the instance is gone. */
export async function* logsOf(
  context: SshContext,
  id: string,
  { signal, follow }: LogOptions = {},
): AsyncIterable<string> {
  let shown = 0;
  for (;;) {
    const { host, claim } = await mustFind(context, "logs", id, signal);
    const printed = await context.client.run({ operation: "logs", signal }, host, { verb: "log", args: [claim.id] });
    const goesOn = follow === true && claim.bootstrap === "running";
    const lines = printed.split("\n");
    // The last piece is a line only once its end has come.
    const whole = goesOn || lines.at(-1) === "" ? lines.slice(0, -1) : lines;
    yield* whole.slice(shown);
    shown = whole.length;
    if (!goesOn) return;
    await context.clock.sleep(POLL_MS, signal);
  }
}
