import { constants } from "node:os";
import { EXIT } from "./cli-error.ts";
import { runCli } from "./run-cli.ts";
import type { HandleInterrupts, Interrupt } from "./world.ts";

const SAY_AFTER_MS = 1000;
// What is going on may be in the middle of a call that has to say its effect; service managers wait 10 s or more.
const GRACE_MS = 5000;

type EndingSignal = "SIGINT" | "SIGTERM" | "SIGHUP";

/**
 * The command as a process: the first signal aborts what is going on, the second one ends at once. SIGTERM and SIGHUP
 * come from programs, which send no second one: after a grace they end it in any case. `run` handles them by itself, since
 * it has a machine to terminate.
 *
 * @example
 * ```ts
 * await main(["node", "slipway", "list", "--json"]);
 * ```
 */
export async function main(argv: readonly string[] = process.argv.slice(2)): Promise<void> {
  const interrupted = new AbortController();
  let handler: ((interrupt: Interrupt) => void) | null = null;
  const handleInterrupts: HandleInterrupts = (listener) => {
    handler = listener;
    return () => {
      handler = null;
    };
  };
  for (const name of ["SIGINT", "SIGTERM", "SIGHUP"] as const satisfies readonly EndingSignal[]) {
    process.on(name, () => {
      if (handler !== null) {
        handler({ isFinal: name !== "SIGINT", quit: () => endBy(name) });
        return;
      }
      if (interrupted.signal.aborted) endBy(name);
      if (name === "SIGINT") setTimeout(sayHowToLeave, SAY_AFTER_MS).unref();
      else setTimeout(() => endBy(name), GRACE_MS).unref();
      interrupted.abort(new DOMException("interrupted by the user", "AbortError"));
    });
  }
  // What `run` could not write to: it has told of it, and the flush at the end fails once more.
  const lost = new Set<NodeJS.WriteStream>();
  for (const stream of [process.stdout, process.stderr]) {
    stream.on("error", (error: NodeJS.ErrnoException) => {
      // A reader that went away, as `head` does, is no fault of this program.
      if (error.code === "EPIPE") return;
      if (lost.has(stream)) return;
      // A command that handles interrupts has a machine to terminate first, also where the terminal itself is gone (EIO).
      if (handler !== null) {
        lost.add(stream);
        if (stream === process.stderr) return;
        process.stderr.write(`slipway: error OUTPUT_LOST: the output cannot be written (${error.code})\n`);
        interrupted.abort(new DOMException("the output cannot be written", "AbortError"));
        return;
      }
      if (stream === process.stdout)
        process.stderr.write(`slipway: error OUTPUT_LOST: the output cannot be written (${error.code})\n`);
      process.exit(EXIT.failure);
    });
  }
  const exitCode = await runCli(argv, { signal: interrupted.signal, handleInterrupts });
  // What a provider still holds open must not keep a command that is done; what was written must still arrive.
  await Promise.all([flushed(process.stdout), flushed(process.stderr)]);
  process.exit(lost.has(process.stdout) ? EXIT.notTheCommand : exitCode);
}

/** By the signal itself: `process.exit` waits for a thread that hangs in the file system. */
function endBy(name: EndingSignal): never {
  process.stderr.write(
    "slipway: error INTERRUPTED: ended in the middle of a call; look with `slipway list` at what is there\n",
  );
  process.removeAllListeners(name);
  process.kill(process.pid, name);
  // The first process of a container is not ended by a signal of its own.
  process.exit(128 + constants.signals[name]);
}

function sayHowToLeave(): void {
  if (process.stderr.isTTY)
    process.stderr.write("\nStopping. Press Ctrl-C again to quit now; an instance may be left running.\n");
}

function flushed(stream: NodeJS.WriteStream): Promise<void> {
  return new Promise((resolve) => {
    if (stream.destroyed || !stream.writable) resolve();
    else stream.write("", () => resolve());
  });
}
