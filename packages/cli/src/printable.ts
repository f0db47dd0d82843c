import type { TextSink, World } from "./world.ts";

/** What a remote says must not move the cursor, colour the screen or start a line of its own. */
export function printable(text: string): string {
  return text.replace(/[\x00-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2028\u2029\u2066-\u2069]/g, (character) =>
    character === "\t" || character === "\n" ? " " : `\\x${character.charCodeAt(0).toString(16).padStart(2, "0")}`,
  );
}

/** As `printable`, for text of several lines: they stay lines. */
export function printableLines(text: string): string {
  return text.split("\n").map(printable).join("\n");
}

/** JSON that a terminal shows as it is: what JSON itself leaves alone of control characters is written as an escape. */
export function printableJson(json: string): string {
  return json.replace(
    /[\x7f-\x9f\u200e\u200f\u202a-\u202e\u2028\u2029\u2066-\u2069]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}

/** A word as a POSIX shell reads it back; left alone where it needs no quotes. */
function shellWord(text: string): string {
  return /^[A-Za-z0-9_./:=@%+,-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}

/** A command that can be pasted. */
export function shellCommand(words: readonly string[]): string {
  return words.map(shellWord).join(" ");
}

export type Tone = "good" | "bad" | "warn" | "quiet" | "strong";

const FORMATS = { good: "green", bad: "red", warn: "yellow", quiet: "dim", strong: "bold" } as const;

/** Colours a text, or leaves it as it is. */
export type Style = (tone: Tone, text: string) => string;

/** Colours only on a terminal, and never against NO_COLOR. */
export function styleFor(sink: TextSink, env: World["env"]): Style {
  const colours = sink.isTTY && (env["NO_COLOR"] ?? "") === "" && env["TERM"] !== "dumb";
  return colours
    ? (tone, text) => process.getBuiltinModule("node:util").styleText(FORMATS[tone], text, { validateStream: false })
    : (_tone, text) => text;
}

/** Shorter values are left alone: `1` or `yes` would blank half of every sentence, and is no secret. */
const SHORTEST = 6;

/** The secret values of one run, which must not show on a screen. */
export class Secrets {
  readonly #values = new Set<string>();

  /** Also its lines, since a message may hold one of them, and its form in a JSON document. */
  add(value: string): void {
    for (const part of [value, ...value.split(/\r?\n/)]) {
      if (part.length < SHORTEST) continue;
      this.#values.add(part);
      this.#values.add(JSON.stringify(part).slice(1, -1));
    }
  }

  redact(text: string): string {
    let clean = text;
    // The longest first, so that no rest of a longer one stays behind.
    for (const value of [...this.#values].sort((a, b) => b.length - a.length)) {
      clean = clean.replaceAll(value, "[redacted]");
    }
    return clean;
  }
}
