import { constants } from "node:os";
import { EXIT } from "./exit-code.ts";
import { runCli } from "./run-cli.ts";

const SAY_AFTER_MS = 1000;

/** The command as a process: the first interrupt aborts what is going on, the second one ends at once. */
export async function main(argv: readonly string[] = process.argv.slice(2)): Promise<void> {
  const interrupted = new AbortController();
  for (const name of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
    process.on(name, () => {
      if (interrupted.signal.aborted) process.exit(128 + constants.signals[name]);
      setTimeout(sayHowToLeave, SAY_AFTER_MS).unref();
      interrupted.abort(new DOMException("interrupted by the user", "AbortError"));
    });
  }
  for (const stream of [process.stdout, process.stderr]) {
    stream.on("error", (error: NodeJS.ErrnoException) => {
      // A reader that went away, as `head` does, is no fault of this program.
      if (error.code === "EPIPE") return;
      if (stream === process.stdout)
        process.stderr.write(`slipway: error OUTPUT_LOST: the output cannot be written (${error.code})\n`);
      process.exit(EXIT.failure);
    });
  }
  const exitCode = await runCli(argv, { signal: interrupted.signal });
  // What a provider still holds open must not keep a command that is done; what was written must still arrive.
  await Promise.all([flushed(process.stdout), flushed(process.stderr)]);
  process.exit(exitCode);
}

/** What is going on may be in the middle of a call that has to tell its effect. */
function sayHowToLeave(): void {
  if (process.stderr.isTTY)
    process.stderr.write("\ninterrupting; once more ends it at once, and nobody tells what is left\n");
}

function flushed(stream: NodeJS.WriteStream): Promise<void> {
  return new Promise((resolve) => {
    if (stream.destroyed || !stream.writable) resolve();
    else stream.write("", () => resolve());
  });
}
