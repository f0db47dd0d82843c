import type { NativeError } from "@slipway/core";

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

// Deeper chains of causes than this help nobody.
const DEEPEST_CAUSE = 8;

/**
 * What an error carries as its `cause`, without the secrets: a log prints causes with their messages and stacks. Returned
 * as it is if it holds none.
 */
export function redactCause(cause: unknown, secrets: readonly string[], depth = 0): unknown {
  if (typeof cause === "string") return redact(cause, secrets);
  if (typeof cause !== "object" || cause === null) return cause;
  const shown = process
    .getBuiltinModule("node:util")
    .inspect(cause, { depth: DEEPEST_CAUSE, getters: false, showHidden: true });
  // Lines of a stack are indented, so a secret of several lines is looked for line by line as well.
  if (redact(shown, secrets) === shown && (!(cause instanceof Error) || isClean(cause, secrets))) return cause;
  if (!(cause instanceof Error) || depth >= DEEPEST_CAUSE) return redact(shown, secrets);
  const inner = cause.cause === undefined ? undefined : { cause: redactCause(cause.cause, secrets, depth + 1) };
  const clean = new Error(redact(cause.message, secrets), inner);
  const code: unknown = Reflect.get(cause, "code");
  return Object.assign(clean, {
    name: redact(cause.name, secrets),
    stack: redact(cause.stack ?? "", secrets),
    ...(typeof code === "string" ? { code: redact(code, secrets) } : {}),
  });
}

function isClean({ name, message, stack = "" }: Error, secrets: readonly string[]): boolean {
  return [name, message, stack].every((text) => redact(text, secrets) === text);
}

/** What the remote calls its failure, without the secrets: it may repeat a header of the request. */
export function redactNative({ requestId, code, ...rest }: NativeError, secrets: readonly string[]): NativeError {
  return {
    ...rest,
    ...(requestId === undefined ? {} : { requestId: redact(requestId, secrets) }),
    ...(code === undefined ? {} : { code: redact(code, secrets) }),
  };
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
