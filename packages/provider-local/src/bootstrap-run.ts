import { closeSync, constants, fstatSync, openSync, readSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { BootstrapState } from "@slipway/core";
import { readText, sandboxLayout } from "@slipway/provider-kit/sandbox";
import { type SecretDigest, withoutSecrets } from "./state/records.ts";

const SCRIPT = "bootstrap.sh";
const STARTED = "bootstrap.started";
const EXIT = "bootstrap.exit";
const TIME_OVER = "time.over";

/**
 * What runs as the instance's init, as `sh -c`: the bootstrap once, if there is one, then nothing for ever. It becomes
 * `sleep` at the end, so an idle instance costs one small process. The script goes away when it has run, since it may
 * hold secrets. Nothing of the caller's stands in this text, which everybody can read in the process list.
 */
export const INIT_SCRIPT: string = [
  'run="$SLIPWAY_RUN_DIR"',
  // An end that comes by itself: of its whole group where that is its own, and of itself, which is the instance's end.
  'if [ -n "$1" ]; then',
  "  (",
  '    while left=$(($1 - $(date +%s))); [ "$left" -gt 0 ]; do',
  '      [ "$left" -lt 10 ] || left=10',
  '      sleep "$left"',
  "    done",
  `    : >"$run/${TIME_OVER}"`,
  '    kill -9 "-$$" 2>/dev/null || kill -9 -- "-$$" 2>/dev/null',
  '    kill -9 "$$"',
  "  ) &",
  "fi",
  `if [ -f "$run/${SCRIPT}" ]; then`,
  // What the bootstrap prints into its own log belongs to the console, in order.
  '  ln -s /dev/stdout "$run/output.log"',
  `  : >"$run/${STARTED}"`,
  // Without a mount namespace the bootstrap's files go below the root, or its `/etc/hosts` would replace this machine's.
  `  SLIPWAY_BOOTSTRAP_DIR="$run" SLIPWAY_BOOTSTRAP_ROOT="\${SLIPWAY_ROOT%/}" /bin/sh "$run/${SCRIPT}"`,
  "  code=$?",
  `  rm -f "$run/${SCRIPT}"`,
  // On a full disk it is told as soon as there is space.
  `  until { echo "$code" >"$run/${EXIT}.draft" && mv "$run/${EXIT}.draft" "$run/${EXIT}"; } 2>/dev/null; do sleep 1; done`,
  "fi",
  "exec sleep 2147483647",
].join("\n");

/** Puts the script where the init finds it; readable by this user alone, and in no argument list. */
export async function placeBootstrap(directory: string, content: string): Promise<void> {
  await writeFile(join(sandboxLayout(directory).run, SCRIPT), content, { mode: 0o600, flag: "wx" });
}

/** How far the bootstrap is, by the files that the init leaves; undefined if there is none to run. */
export function bootstrapProgress(directory: string, expected: boolean): BootstrapState | undefined {
  if (!expected) return undefined;
  const { run } = sandboxLayout(directory);
  const exit = readText(join(run, EXIT));
  if (exit === null) return { state: readText(join(run, STARTED)) === null ? "pending" : "running" };
  const code = /^(\d{1,3})\s*$/.exec(exit)?.[1];
  if (code === undefined) return { state: "unknown" };
  return { state: code === "0" ? "succeeded" : "failed", exitCode: Number(code) };
}

/** Did the instance end because its `terminateBy` had come? */
export function wasTimeOver(directory: string): boolean {
  return readText(join(sandboxLayout(directory).run, TIME_OVER)) !== null;
}

const TAIL_BYTES = 4096;
const TAIL_LINES = 5;

/** The last lines of the console as the end of a sentence, cleaned of secrets and control characters; empty if there are none. */
export function lastLines(directory: string, secrets: readonly SecretDigest[]): string {
  const lines = tail(sandboxLayout(directory).log)
    .split("\n")
    .map((line) =>
      withoutSecrets(line, secrets)
        .replace(/\p{Cc}/gu, " ")
        .trim(),
    )
    .filter((line) => line !== "")
    .slice(-TAIL_LINES);
  return lines.length === 0 ? "" : `; it printed last: ${lines.join(" | ")}`;
}

function tail(path: string): string {
  let file: number;
  try {
    file = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW);
  } catch {
    return "";
  }
  try {
    const { size } = fstatSync(file);
    const buffer = Buffer.alloc(Math.min(size, TAIL_BYTES));
    return buffer.subarray(0, readSync(file, buffer, 0, buffer.length, size - buffer.length)).toString("utf8");
  } finally {
    closeSync(file);
  }
}
