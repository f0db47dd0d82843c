import type { CommandResult, ExecResult } from "@slipway/core";

/**
 * The exit code of a program inside passes through, and `orbctl` itself fails with the same numbers. So a shell says first,
 * on stderr, that it has begun inside: an answer without that line is orbctl's own, whatever its number. It also lets the program's name begin
 * with a dash, and says 127 for one that is not there.
 */
const BEGUN = "slipway: inside\n";
const WRAPPER = ["sh", "-c", `echo "${BEGUN.trimEnd()}" >&2; exec "$@"`, "sh"] as const;

export function wrapped(argv: readonly string[]): readonly string[] {
  return [...WRAPPER, ...argv];
}

/** The program's own result; null where it never began. */
export function resultOf({ exitCode, stdout, stderr }: CommandResult): ExecResult | null {
  const at = stderr.indexOf(BEGUN);
  if (exitCode === null || at === -1) return null;
  return { exitCode, stdout, stderr: stderr.slice(at + BEGUN.length) };
}

/** Hands on what the program itself says: what comes after the line. */
export function afterBeginning(listener: (chunk: string) => void): (chunk: string) => void {
  let before: string | null = "";
  return (chunk) => {
    if (before === null) return listener(chunk);
    before += chunk;
    const at = before.indexOf(BEGUN);
    if (at === -1) return;
    const rest = before.slice(at + BEGUN.length);
    before = null;
    if (rest !== "") listener(rest);
  };
}
