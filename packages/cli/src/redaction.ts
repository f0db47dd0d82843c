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
