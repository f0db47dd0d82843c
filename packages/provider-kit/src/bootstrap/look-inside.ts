import type { BootstrapTruth } from "@slipway/core";
import { BOOTSTRAP_LOG_PATH, BOOTSTRAP_SENTINEL_PATH, parseSentinel } from "./sentinel.ts";

const KEPT_LINES = 20;

// The log is readable by root alone, and the log-in user of a cloud's image is often another.
const READ = [
  'cat "$1" 2>/dev/null || sudo -n cat "$1" 2>/dev/null',
  `printf '\\n%s\\n' "$3"`,
  `tail -n ${KEPT_LINES} "$2" 2>/dev/null || sudo -n tail -n ${KEPT_LINES} "$2" 2>/dev/null || true`,
].join("; ");

/** What the bootstrap wrote on the instance itself, read by a command that runs there: the instance's word, and no proof. */
export async function lookInside(
  run: (argv: readonly string[]) => Promise<{ readonly stdout: string }>,
): Promise<BootstrapTruth> {
  const border = crypto.randomUUID();
  const { stdout } = await run(["/bin/sh", "-c", READ, "sh", BOOTSTRAP_SENTINEL_PATH, BOOTSTRAP_LOG_PATH, border]);
  const [sentinel = "", log = ""] = stdout.split(`\n${border}\n`);
  const { state, exitCode } = parseSentinel(sentinel);
  // What a machine printed is data: nothing in it may move a terminal's cursor.
  const lastLines = log
    .split("\n")
    .map((line) => line.replaceAll(/\p{Cc}/gu, " ").trimEnd())
    .filter((line) => line !== "");
  return {
    state,
    ...(exitCode === undefined ? {} : { exitCode }),
    ...(lastLines.length === 0 ? {} : { lastLines }),
  };
}
