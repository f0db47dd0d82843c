import { type Clock, canLog, deadline, type Provider } from "@slipway/core";

const MOST_LINES = 20;
const MOST_CHARACTERS = 2000;
const PATIENCE_MS = 5000;

/**
 * What the instance printed last, as the end of a message, or nothing. It is a help for a person: where the provider has
 * no logs, or they cannot be read, the message stands without it.
 */
export async function lastLines(provider: Provider, id: string, clock: Clock): Promise<string> {
  if (!canLog(provider)) return "";
  const limit = deadline(clock, PATIENCE_MS);
  const lines: string[] = [];
  const read = async (): Promise<void> => {
    for await (const line of provider.logs(id, { signal: limit.signal })) {
      lines.push(line);
      if (lines.length > MOST_LINES) lines.shift();
      if (limit.signal.aborted) return;
    }
  };
  const over = new Promise<void>((resolve) => limit.signal.addEventListener("abort", () => resolve(), { once: true }));
  // Neither a failing log nor one that does not end may hide why the wait ended.
  await Promise.race([read().catch(() => undefined), over]);
  limit.release();
  return linesAtEnd(lines);
}

/** Lines as the end of a message; nothing if there are none. */
export function linesAtEnd(lines: readonly string[]): string {
  const text = lines.slice(-MOST_LINES).join("\n").slice(-MOST_CHARACTERS).trim();
  return text === "" ? "" : `; its last lines:\n${text}`;
}
