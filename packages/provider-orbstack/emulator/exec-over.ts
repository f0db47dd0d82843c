import type { Clock, CommandOptions, Exec } from "@slipway/core";
import { CommandError } from "@slipway/provider-kit/command";
import type { OrbstackEmulator } from "./emulator.ts";

/** A command in this process, with the runner's own rules for time and signals: they end the client alone. */
export async function execOver(
  clock: Clock,
  orbctl: OrbstackEmulator["orbctl"],
  file: string,
  args: readonly string[],
  { signal, timeoutMs, stdin, env, onStdout, onStderr }: CommandOptions = {},
): Promise<Awaited<ReturnType<Exec>>> {
  const began = clock.now();
  const over = new AbortController();
  const ended = (fault: "timedOut" | "cancelled"): CommandError =>
    new CommandError({
      fault,
      reason: fault === "timedOut" ? "it did not finish in time, and was ended" : "it was cancelled, and ended",
      command: [file, ...args.slice(0, 2)],
      started: signal?.aborted !== true || clock.now() > began,
      durationMs: clock.now() - began,
    });
  const byCaller = (): CommandError => ended(isTimeout(signal?.reason) ? "timedOut" : "cancelled");
  if (signal?.aborted === true) throw byCaller();
  const onAbort = (): void => over.abort(byCaller());
  signal?.addEventListener("abort", onAbort, { once: true });
  const timer = new AbortController();
  if (timeoutMs !== undefined && timeoutMs < 2 ** 31 - 1) {
    clock.sleep(timeoutMs, timer.signal).then(
      () => over.abort(ended("timedOut")),
      () => undefined,
    );
  }
  const lost = new Promise<never>((_resolve, reject) => {
    over.signal.addEventListener("abort", () => reject(over.signal.reason), { once: true });
  });
  try {
    const working = orbctl(args, { stdin, env, signal: over.signal, onStdout, onStderr });
    // It goes on where nobody waits for it any more.
    working.catch(() => undefined);
    const { stdout, stderr, code } = await Promise.race([working, lost]);
    return { exitCode: code, signal: code === null ? "SIGKILL" : null, stdout, stderr };
  } finally {
    timer.abort(new Error("over"));
    signal?.removeEventListener("abort", onAbort);
  }
}

function isTimeout(reason: unknown): boolean {
  return reason instanceof Error && reason.name === "TimeoutError";
}
