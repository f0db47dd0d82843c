import type { BootstrapTruth } from "@slipway/core";
import {
  type DataRecord,
  type JsonValue,
  type LaunchIdentity,
  type LaunchRecord,
  recordId,
  type StoredRecord,
} from "../store/record.ts";
import type { LaunchStore } from "../store/store.ts";
import type { Ticket } from "./ticket.ts";

/** What a launch has reported last. */
export interface Reported {
  /** As `LaunchRecord.reports`. */
  readonly launch: string;
  readonly seq: number;
  readonly exitCode: number | null;
  readonly lastLines: readonly string[];
}

/** One row for each key: only a later launch of the same key takes it over. */
export function reportId({ provider, account, owner, key }: LaunchIdentity): string {
  return recordId("report", provider, account, owner, key);
}

/** What to do with a report: the row that it makes, or the status that refuses it. */
export function judge(before: Reported | null, { launch }: Ticket, message: ReportMessage): Reported | 409 {
  const { event, seq, exitCode = null, lastLines } = message;
  const after = { launch, seq, exitCode, lastLines };
  // That it is the launch of now is known: what an earlier one has reported is over.
  if (before === null || before.launch !== launch) return after;
  if (seq <= before.seq) return 409;
  // How it ended is final, until a bootstrap begins again.
  return before.exitCode !== null && event !== "started" ? 409 : after;
}

/**
 * For a launch whose record was forgotten, under the lease of that: nobody can read its report any more, and none is taken
 * any more. Where one is being taken at this moment, it stays until the key is launched again.
 */
export async function forgetReport(store: LaunchStore, { identity, reports }: LaunchRecord): Promise<void> {
  if (reports === undefined) return;
  const id = reportId(identity);
  const lease = await store.acquire(id);
  if (lease === null) return;
  try {
    await store.remove(id);
  } finally {
    await store.release(lease).catch(() => undefined);
  }
}

export function reportRecord({ identity }: Ticket, reported: Reported, at: string): DataRecord {
  const { provider, account, owner, key } = identity;
  const data: JsonValue = { ...reported };
  return { kind: "report", name: key, owner, provider, account, state: truthOf(reported).state, at, data };
}

/** Null where there is no record; undefined for one that is no report. */
export function reportedIn(record: StoredRecord | null): Reported | null | undefined {
  if (record === null) return null;
  if (record.kind !== "report") return undefined;
  const { data } = record;
  if (typeof data !== "object" || data === null || Array.isArray(data)) return undefined;
  const { launch, seq, exitCode, lastLines } = data as { readonly [name: string]: JsonValue };
  if (typeof launch !== "string" || typeof seq !== "number" || !Array.isArray(lastLines)) return undefined;
  if (exitCode !== null && typeof exitCode !== "number") return undefined;
  return { launch, seq, exitCode, lastLines: lastLines.filter((line) => typeof line === "string") };
}

export function truthOf({ exitCode, lastLines }: Reported): BootstrapTruth {
  const lines = lastLines.length === 0 ? {} : { lastLines };
  if (exitCode === null) return { state: "running", ...lines };
  return { state: exitCode === 0 ? "succeeded" : "failed", exitCode, ...lines };
}

/** One report, as a machine has sent it: data, and no proof of anything. */
interface ReportMessage {
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
