/** What stands in place of a secret. */
export const REDACTED = "[redacted]";

/**
 * The text without the secrets: as they are, and in the forms in which tools print them (JSON string, URL component,
 * base64). Of a secret of several lines each longer line counts as well, since tools print those one by one.
 * A short secret is taken out too, however unreadable the text becomes.
 */
export function redact(text: string, secrets: readonly string[]): string {
  const spans = merged(occurrences(text, formsOf(secrets)));
  let clean = "";
  let from = 0;
  for (const [start, end] of spans) {
    clean += text.slice(from, start) + REDACTED;
    from = end;
  }
  return clean + text.slice(from);
}

/**
 * As `redact`, for text that was cut off at its end or its beginning: what is left of a secret at the cut goes too.
 * Fewer than four characters of a longer secret stay, since any text ends with those by chance.
 */
export function redactCut(text: string, secrets: readonly string[]): string {
  let clean = redact(text, secrets);
  for (const form of formsOf(secrets)) {
    for (let length = form.length - 1; length >= 4; length -= 1) {
      if (clean.endsWith(form.slice(0, length))) clean = clean.slice(0, -length) + REDACTED;
      if (clean.startsWith(form.slice(-length))) clean = REDACTED + clean.slice(length);
    }
  }
  return clean;
}

type Span = readonly [start: number, end: number];

function formsOf(secrets: readonly string[]): ReadonlySet<string> {
  const forms = new Set<string>();
  for (const secret of secrets) {
    const lines = secret.split(/\r?\n/).filter((line) => line.length >= 12);
    for (const text of [secret, secret.trim(), ...lines]) {
      const bytes = Buffer.from(text, "utf8");
      forms.add(text);
      forms.add(JSON.stringify(text).slice(1, -1));
      forms.add(encodeURIComponent(text.toWellFormed()));
      forms.add(bytes.toString("base64"));
      forms.add(bytes.toString("base64url"));
    }
  }
  forms.delete("");
  return forms;
}

// Overlapping ones too: of two secrets that share characters neither may leave a rest.
function occurrences(text: string, forms: ReadonlySet<string>): Span[] {
  const spans: Span[] = [];
  for (const form of forms) {
    for (let at = text.indexOf(form); at !== -1; at = text.indexOf(form, at + 1)) spans.push([at, at + form.length]);
  }
  return spans;
}

function merged(spans: readonly Span[]): Span[] {
  const result: [start: number, end: number][] = [];
  for (const [start, end] of spans.toSorted((a, b) => a[0] - b[0])) {
    const last = result.at(-1);
    if (last !== undefined && start < last[1]) last[1] = Math.max(last[1], end);
    else result.push([start, end]);
  }
  return result;
}
