/** One report, as a machine has sent it: data, and no proof of anything. */
export interface ReportMessage {
  readonly event: "started" | "alive" | "exited";
  /** Rises from one report of a machine to its next. */
  readonly seq: number;
  /** With `exited`, and only with it. */
  readonly exitCode?: number;
  readonly lastLines: readonly string[];
}

const MOST_LINES = 20;
const MOST_CHARACTERS = 2000;

/** `name=value` lines, an empty line, and the end of the output. Null for what is no such text. */
export function parseMessage(text: string): ReportMessage | null {
  const border = text.indexOf("\n\n");
  if (border === -1) return null;
  const fields = new Map(text.slice(0, border).split("\n").map(splitOnce));
  const event = fields.get("event");
  const seq = numberIn(fields.get("seq"), /^\d{1,15}$/);
  const exitCode = numberIn(fields.get("exitCode"), /^\d{1,3}$/);
  if (seq === null || (event !== "started" && event !== "alive" && event !== "exited")) return null;
  const lastLines = shownLines(text.slice(border + 2));
  if (event !== "exited") return { event, seq, lastLines };
  return exitCode === null || exitCode > 255 ? null : { event, seq, exitCode, lastLines };
}

/** The last lines of an output, short enough for a message. Nothing in them may move a terminal's cursor or turn text round. */
function shownLines(output: string): readonly string[] {
  const lines = output
    .split(/\r\n|[\n\r\u2028\u2029]/)
    .map((line) => line.replaceAll(ESCAPE_SEQUENCE, "").replaceAll(UNSEEN, " ").trimEnd())
    .filter((line) => line !== "")
    .slice(-MOST_LINES)
    .map((line) => line.slice(-MOST_CHARACTERS).toWellFormed());
  while (lines.join("\n").length > MOST_CHARACTERS && lines.length > 1) lines.shift();
  return lines;
}

const ESCAPE = String.fromCodePoint(0x1b);
const BELL = String.fromCodePoint(0x07);
// Colours and movements; titles and links, which end by a bell or by ESC \; all others of two characters.
const ESCAPE_SEQUENCE = new RegExp(
  `${ESCAPE}(?:\\[[0-?]*[ -/]*[@-~]|[\\]PX^_][^${ESCAPE}${BELL}]*(?:${BELL}|${ESCAPE}\\\\)?|[ -/]*[0-~])`,
  "g",
);
const UNSEEN = /[\p{Cc}\p{Cf}]/gu;

function numberIn(text: string | undefined, form: RegExp): number | null {
  return text !== undefined && form.test(text) ? Number(text) : null;
}

function splitOnce(line: string): [name: string, value: string] {
  const at = line.indexOf("=");
  return at === -1 ? [line, ""] : [line.slice(0, at), line.slice(at + 1)];
}
