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
