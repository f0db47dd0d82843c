import { deadline } from "@slipway/core";
import type { CliError } from "./cli-error.ts";
import type { Session } from "./session.ts";

/** Runs a program on this command's terminal, and ends it when --timeout is over. Answers its exit code. */
export async function handTerminal(
  { world, progress, call }: Session,
  file: string,
  args: readonly string[],
  timedOut: (timeoutMs: number) => CliError,
): Promise<number> {
  progress.stop();
  const { timeoutMs } = call;
  if (timeoutMs === undefined) return await world.spawnProcess(file, args, world.signal);
  const limit = deadline(world.clock, timeoutMs, world.signal);
  try {
    const exitCode = await world.spawnProcess(file, args, limit.signal);
    if (limit.signal.aborted && !world.signal.aborted) throw timedOut(timeoutMs);
    return exitCode;
  } finally {
    limit.release();
  }
}
