import type { Ownership } from "@slipway/provider-kit/driver";

/** Slurm's limit for a comment, in bytes. */
export const MAX_COMMENT_BYTES = 1024;

/** A job's comment: who owns it, and the token of its bootstrap directory. Anyone on the cluster may read it. */
export interface Comment {
  readonly ownership: Ownership;
  /** Undefined: it has no bootstrap. */
  readonly token: string | undefined;
  /** Memory was asked for: else what Slurm shows may be the default of one CPU. */
  readonly asksMemory: boolean;
  /** When it ends by itself, ISO 8601; undefined: its time limit alone ends it. */
  readonly terminateBy?: string | undefined;
}

/** JSON in printable ASCII, on one line. */
export function writeComment({ ownership, token, asksMemory, terminateBy }: Comment): string {
  const { owner, key, specHash, displayName, expiresAt, labels } = ownership;
  const text = JSON.stringify({
    slipway: 1,
    o: owner,
    k: key,
    h: specHash,
    n: displayName,
    e: expiresAt,
    l: Object.keys(labels).length === 0 ? undefined : labels,
    t: token,
    m: asksMemory ? 1 : undefined,
    b: terminateBy,
  });
  return text.replace(/[^\x20-\x7e]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`);
}

/** Null for a comment that Slipway has not written. */
export function readComment(comment: string): Comment | null {
  const parsed = parsedComment(comment);
  if (parsed === null) return null;
  const { o: owner, k: key, h: specHash, n, e, l, t, m, b } = parsed;
  if (typeof owner !== "string" || typeof key !== "string" || typeof specHash !== "string") return null;
  const labels: Record<string, string> = {};
  for (const [name, value] of Object.entries(isRecord(l) ? l : {})) if (typeof value === "string") labels[name] = value;
  return {
    ownership: { owner, key, specHash, displayName: textOf(n), expiresAt: textOf(e), labels },
    asksMemory: m === 1,
    terminateBy: textOf(b),
    token: typeof t === "string" && /^[0-9a-f]{12}$/.test(t) ? t : undefined,
  };
}

/**
 * The comment of a record that says of another job that it was terminated: Slurm lets nobody change a job that has ended,
 * and shows it for minutes. The record ends after that job, so it is shown for longer.
 */
export function writeDismissal(id: string): string {
  return JSON.stringify({ slipway: 1, x: id });
}

/** The id of the job that a record dismisses; undefined for any other comment. */
export function readDismissal(comment: string): string | undefined {
  return textOf(parsedComment(comment)?.["x"]);
}

function parsedComment(comment: string): Readonly<Record<string, unknown>> | null {
  if (!comment.startsWith('{"slipway":1,')) return null;
  try {
    const parsed: unknown = JSON.parse(comment);
    return isRecord(parsed) ? parsed : null;
  } catch {
    return null;
  }
}

const textOf = (value: unknown): string | undefined => (typeof value === "string" ? value : undefined);

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
