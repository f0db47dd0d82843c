const MOST_CHARACTERS = 400;

/** What a failed command said, for a message: on one line and not without end; what its end says where it said nothing. */
export function spokenWords(text: string, exitCode: number | null): string {
  const words = text.replaceAll(/[\p{Cc}\s]+/gu, " ").trim();
  if (words === "")
    return exitCode === null ? "it was ended by a signal" : `it ended with ${exitCode} and said nothing`;
  return words.length > MOST_CHARACTERS ? `${words.slice(0, MOST_CHARACTERS)}…` : words;
}
