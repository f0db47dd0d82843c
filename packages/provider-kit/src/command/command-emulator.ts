import type { Clock, CommandOptions, Exec } from "@slipway/core";
import { CommandError } from "./command-error.ts";

/** How a call of an emulated program ended. The code is null where a signal ended it. */
export interface ProgramAnswer {
  readonly stdout: string;
  readonly stderr: string;
  readonly code: number | null;
}

/** What a call of an emulated program is given. */
export type EmulatedCall = Pick<CommandOptions, "stdin" | "env" | "onStdout" | "onStderr"> & {
  readonly signal: AbortSignal;
};

// What a timer of Node can wait for.
const LONGEST_MS = 2 ** 31 - 1;

/**
 * An emulated program as a command runner, with the runner's own rules for time and signals: they end the client alone, and
 * what it began goes on.
 *
 * @example
 * ```ts
 * const exec = commandEmulator(clock, (args, call) => acmectl(args, call));
 * ```
 */
export function commandEmulator(
  clock: Clock,
  run: (args: readonly string[], call: EmulatedCall) => Promise<ProgramAnswer>,
): Exec {
  return async (file, args, { signal, timeoutMs, stdin, env, onStdout, onStderr } = {}) => {
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
    if (timeoutMs !== undefined && timeoutMs < LONGEST_MS) {
      clock.sleep(timeoutMs, timer.signal).then(
        () => over.abort(ended("timedOut")),
        () => undefined,
      );
    }
    const lost = new Promise<never>((_resolve, reject) => {
      over.signal.addEventListener("abort", () => reject(over.signal.reason), { once: true });
    });
    try {
      const working = run(args, { stdin, env, signal: over.signal, onStdout, onStderr });
      // It goes on where nobody waits for it any more.
      working.catch(() => undefined);
      const { stdout, stderr, code } = await Promise.race([working, lost]);
      return { exitCode: code, signal: code === null ? "SIGKILL" : null, stdout, stderr };
    } finally {
      timer.abort(new Error("over"));
      signal?.removeEventListener("abort", onAbort);
    }
  };
}

function isTimeout(reason: unknown): boolean {
  return reason instanceof Error && reason.name === "TimeoutError";
}
