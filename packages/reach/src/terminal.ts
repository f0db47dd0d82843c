import { abortError, type CallOptions, type Clock, deadline, ProviderError } from "@slipway/core";
import { quoteWord } from "./command-line.ts";
import { refusal } from "./refusal.ts";
import type { RunOnTerminal, TtyOptions } from "./session.ts";

const KILL_AFTER_MS = 3000;

/** What a terminal needs of its session. */
export interface TerminalHost {
  readonly provider: string;
  readonly clock: Clock;
  readonly terminal: RunOnTerminal | undefined;
  /** Makes the command of this machine that runs the words inside. Starts nothing. */
  readonly render: (
    argv: readonly string[],
    call: CallOptions,
  ) => Promise<{ readonly file: string; readonly args: readonly string[] }>;
}

/** Runs a program inside on this process's terminal. Its exit code is the one of the command of this machine. */
export async function runOnTerminal(
  host: TerminalHost,
  argv: readonly string[],
  { cwd, signal, timeoutMs }: TtyOptions = {},
): Promise<{ readonly exitCode: number }> {
  const { provider, clock, terminal = onOwnTerminal(provider) } = host;
  const words =
    cwd === undefined ? argv : ["/bin/sh", "-c", 'cd -- "$1" || exit 126; shift; exec "$@"', "sh", cwd, ...argv];
  const limit = deadline(clock, timeoutMs, signal);
  const about = { provider, operation: "tty" };
  try {
    if (limit.signal.aborted) throw abortError(limit.signal, { ...about, effect: "none" });
    const { file, args } = await host.render(words, { signal: limit.signal });
    const exitCode = await terminal(file, args, limit.signal).catch((cause: unknown) => {
      if (limit.signal.aborted) throw abortError(limit.signal, { ...about, effect: "unknown" });
      throw isMissing(cause)
        ? refusal("UNSUPPORTED", provider, "tty", `the program ${file} is not installed`, { cause })
        : cause;
    });
    if (limit.signal.aborted) throw abortError(limit.signal, { ...about, effect: "unknown" });
    return { exitCode };
  } finally {
    limit.release();
  }
}

/** Nobody saw how it ended. */
export function lostTerminal(provider: string, id: string): ProviderError<"NETWORK"> {
  return new ProviderError("NETWORK", {
    message: `the connection to ${id} was lost while its terminal was open`,
    provider,
    operation: "tty",
    effect: "unknown",
  });
}

/** The line for the remote shell, which need not be a POSIX one. */
export function renderTerminalLine(argv: readonly string[]): string {
  return `exec /bin/sh -c ${quoteWord('exec "$@"')} sh ${argv.map(quoteWord).join(" ")}`;
}

function onOwnTerminal(provider: string): RunOnTerminal {
  return async (file, args, signal) => {
    if (!process.stdin.isTTY || !process.stdout.isTTY) {
      throw refusal("INVALID_STATE", provider, "tty", "tty hands this process's terminal on, and it has none", {
        hint: "exec runs a program without a terminal.",
      });
    }
    const [{ spawn }, { constants }] = await Promise.all([import("node:child_process"), import("node:os")]);
    return await new Promise((resolve, reject) => {
      // In this process's own group: else it could not read what is typed.
      const child = spawn(file, args, { stdio: "inherit" });
      let killing: NodeJS.Timeout | undefined;
      const end = (): void => {
        child.kill("SIGTERM");
        killing = setTimeout(() => child.kill("SIGKILL"), KILL_AFTER_MS);
      };
      const over = (): void => {
        clearTimeout(killing);
        signal.removeEventListener("abort", end);
      };
      signal.addEventListener("abort", end, { once: true });
      if (signal.aborted) end();
      child.once("error", (error) => {
        over();
        reject(error);
      });
      child.once("exit", (code, by) => {
        over();
        resolve(code ?? 128 + (by === null ? 0 : constants.signals[by]));
      });
    });
  };
}

function isMissing(error: unknown): boolean {
  return error instanceof Error && "code" in error && error.code === "ENOENT";
}
