import { refusal } from "./refusal.ts";
import type { SessionExecOptions } from "./session.ts";

/** Quotes a word so that a POSIX shell takes it as it is, whatever is in it. */
export function quoteWord(word: string): string {
  return `'${word.replaceAll("'", String.raw`'\''`)}'`;
}

/** Refuses what no shell can be given. */
export function checkCommand(provider: string, argv: readonly string[]): void {
  if (argv.length === 0 || argv.some((word) => word.includes("\0"))) {
    throw refusal("INVALID_SPEC", provider, "exec", "a command needs at least one word, and no word may hold NUL");
  }
}

/**
 * One line that sets the environment and the directory. It is sent as the first line of the input, because every user
 * of both machines can read an argument list.
 */
export function renderSettings(provider: string, { cwd, environment = {} }: SessionExecOptions): string {
  const exports = Object.entries(environment).map(([name, value]) => {
    if (!/^[A-Za-z_][A-Za-z0-9_]*$/.test(name)) {
      throw refusal("INVALID_SPEC", provider, "exec", `environment: ${JSON.stringify(name)} is not a variable name`);
    }
    if (/[\n\0]/.test(value)) {
      throw refusal("INVALID_SPEC", provider, "exec", `environment.${name} must be one line without NUL`);
    }
    return `export ${name}=${quoteWord(value)}; `;
  });
  if (cwd === undefined) return `${exports.join("")}:\n`;
  if (cwd === "" || /[\n\0]/.test(cwd)) throw refusal("INVALID_SPEC", provider, "exec", "cwd must be one line");
  return `${exports.join("")}cd -- ${quoteWord(cwd)}\n`;
}

// `read` takes its line byte by byte, so the rest of the input is the command's own. It fails where the line did not arrive whole:
// a command whose connection was cut must not run in another directory, or without its environment.
const READ_SETTINGS = 'IFS= read -r slipway_line && eval "unset slipway_line; $slipway_line"';

/** The same command behind a shell that reads its settings first. */
export function readingSettings(argv: readonly string[]): readonly string[] {
  return ["/bin/sh", "-c", `${READ_SETTINGS} || exit 126; exec "$@"`, "sh", ...argv];
}

/** The same command, which says first on stderr that it began, and the process id that it goes on with. */
export function sayingItsId(argv: readonly string[], nonce: string): readonly string[] {
  return ["/bin/sh", "-c", `printf '%s:began:%s\\n' ${nonce} "$$" >&2; exec "$@"`, "sh", ...argv];
}

/**
 * The line for the remote shell. `ssh` ends with 255 for a killed command and for a lost connection alike. So a marker on
 * stderr says that the command began, and a second one how it ended. What runs cannot guess the nonce. Its input is its
 * own, or begins with its settings.
 */
export function renderLineWithMarkers(argv: readonly string[], nonce: string, input: "settings-first" | "own"): string {
  const script = [
    `printf '%s:began:%s\\n' ${nonce} "$$" >&2`,
    // A shell says "Killed" of a program that was killed, on its own stderr: those are no words of the program.
    `if ${input === "own" ? ":" : READ_SETTINGS}; then exec 3>&2 2>/dev/null; (exec 2>&3 3>&-; exec "$@"); slipway_code=$?; exec 2>&3 3>&-`,
    "else slipway_code=126; fi",
    `printf '%s:ended:%s\\n' ${nonce} "$slipway_code" >&2`,
    'exit "$slipway_code"',
  ].join("; ");
  return `exec /bin/sh -c ${quoteWord(script)} sh ${argv.map(quoteWord).join(" ")}`;
}

/** Joins the settings' line and the command's own input. */
export function joinInput(settings: string, stdin: string | Uint8Array | undefined): string | Uint8Array {
  if (stdin === undefined || typeof stdin === "string") return `${settings}${stdin ?? ""}`;
  return Buffer.concat([Buffer.from(settings), stdin]);
}
