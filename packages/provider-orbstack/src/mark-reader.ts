import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { isProviderError } from "@slipway/core";
import type { Call } from "./call.ts";
import type { OrbstackClient } from "./client.ts";
import { MARK_PATH, type Mark, parseMark } from "./marks.ts";
import type { WireMachine } from "./wire.ts";

export interface FoundMark {
  readonly mark: Mark | null;
  /** The file is another machine's: this one is a copy, and was not marked yet. */
  readonly isCopy: boolean;
}

/** Reads what Slipway keeps inside machines, and never starts one for it. A mark never changes, so each is read once. */
export interface MarkReader {
  readonly read: (call: Call, machine: WireMachine) => Promise<FoundMark>;
  /** What was just written. */
  readonly note: (mark: Mark) => void;
  /** The text of a small file; null if it is not there, or cannot be read without a start. */
  readonly text: (call: Call, machine: WireMachine, path: string) => Promise<string | null>;
}

const INSIDE_MS = 30_000;
const MOST = 1_000;

export function markReader(client: OrbstackClient): MarkReader {
  const known = new Map<string, Mark>();
  const note = (mark: Mark): void => {
    known.set(mark.id, mark);
    const [oldest] = known.keys();
    if (known.size > MOST && oldest !== undefined) known.delete(oldest);
  };
  return {
    note,
    text: (call, machine, path) => textOf(client, call, machine, path),
    read: async (call, machine) => {
      const noted = known.get(machine.id);
      if (noted !== undefined) return { mark: noted, isCopy: false };
      const mark = parseMark((await textOf(client, call, machine, MARK_PATH)) ?? "");
      if (mark === null) return { mark: null, isCopy: false };
      if (mark.id !== machine.id) return { mark: null, isCopy: true };
      note(mark);
      return { mark, isCopy: false };
    },
  };
}

/** A copy over the file share first: it never starts a machine. What runs can also be asked. */
async function textOf(
  client: OrbstackClient,
  call: Call,
  { name, state }: WireMachine,
  path: string,
): Promise<string | null> {
  const copied = await copiedText(client, call, name, path);
  if (copied !== null || state !== "running") return copied;
  const { exitCode, stdout } = await client.run(call, name, ["sh", "-c", 'cat "$1" 2>/dev/null', "sh", path], {
    timeoutMs: INSIDE_MS,
    reads: true,
  });
  return exitCode === 0 ? stdout : null;
}

async function copiedText(client: OrbstackClient, call: Call, name: string, path: string): Promise<string | null> {
  // At once, for they are a few bytes: simulated time would run on while a disk is waited for.
  const folder = mkdtempSync(join(tmpdir(), "slipway-mark-"));
  const target = join(folder, "mark");
  try {
    await client.pull(call, name, path, target);
    return readFileSync(target, "utf8");
  } catch (error) {
    if (isUnclear(error)) throw error;
    return null;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** No answer, or one that says nothing of the file. In which words a missing file is told is not known. */
function isUnclear(error: unknown): boolean {
  if (!isProviderError(error)) return !(error instanceof Error && "code" in error && error.code === "ENOENT");
  return !UNREADABLE.has(String(error.native?.code));
}

/** One that is going, or has gone, must not spoil the list of the others. */
const UNREADABLE: ReadonlySet<string> = new Set(["unknown", "machine-not-found", "in-transition"]);
