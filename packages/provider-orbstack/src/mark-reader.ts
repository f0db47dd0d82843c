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
  /** The file is another machine's: this one is a copy of that, and was not marked yet. */
  readonly copyOf: Mark | null;
  /** It could not be read now, and may be there. */
  readonly isUnreadable: boolean;
}

export interface FoundText {
  /** Null if it is not there, or cannot be read without a start. */
  readonly text: string | null;
  /** It could not be read now, and may be there. */
  readonly isUnreadable: boolean;
}

/** Reads what Slipway keeps inside machines, and never starts one for it. A mark never changes, so each is read once. */
export interface MarkReader {
  readonly read: (call: Call, machine: WireMachine) => Promise<FoundMark>;
  /** What was just written. */
  readonly note: (mark: Mark) => void;
  /** Somebody has removed it. */
  readonly forget: (id: string) => void;
  /** A small file. */
  readonly text: (call: Call, machine: WireMachine, path: string) => Promise<FoundText>;
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
    forget: (id) => void known.delete(id),
    text: (call, machine, path) => textOf(client, call, machine, path),
    read: async (call, machine) => {
      const noted = known.get(machine.id);
      if (noted !== undefined) return { mark: noted, copyOf: null, isUnreadable: false };
      const { text, isUnreadable } = await textOf(client, call, machine, MARK_PATH);
      const mark = parseMark(text ?? "");
      if (mark === null) return { mark: null, copyOf: null, isUnreadable };
      if (mark.id !== machine.id) return { mark: null, copyOf: mark, isUnreadable };
      note(mark);
      return { mark, copyOf: null, isUnreadable };
    },
  };
}

/** A copy over the file share first: it never starts a machine. What runs can also be asked. */
async function textOf(
  client: OrbstackClient,
  call: Call,
  { name, state }: WireMachine,
  path: string,
): Promise<FoundText> {
  try {
    const copied = await copiedText(client, call, name, path);
    if (copied.text !== null || state !== "running") return copied;
    const { exitCode, stdout } = await client.run(call, name, ["sh", "-c", 'cat "$1" 2>/dev/null', "sh", path], {
      timeoutMs: INSIDE_MS,
      reads: true,
    });
    return { text: exitCode === 0 ? stdout : null, isUnreadable: false };
  } catch (error) {
    if (!isProviderError(error) || !GOING.has(String(error.native?.code))) throw error;
    return { text: null, isUnreadable: true };
  }
}

/** One of which these are said is going, or has gone: it must not spoil the list of the others. */
const GOING: ReadonlySet<string> = new Set(["machine-not-found", "in-transition"]);

async function copiedText(client: OrbstackClient, call: Call, name: string, path: string): Promise<FoundText> {
  // At once, for they are a few bytes: simulated time would run on while a disk is waited for.
  const folder = mkdtempSync(join(tmpdir(), "slipway-mark-"));
  const target = join(folder, "mark");
  try {
    await client.pull(call, name, path, target);
    return { text: contentOf(target), isUnreadable: false };
  } catch (error) {
    if (!isProviderError(error) || error.native?.code !== "unknown") throw error;
    return { text: null, isUnreadable: !MISSING.test(error.message) };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** In which words a missing file is told is not known: these are the usual ones. */
const MISSING = /no such file|does not exist/i;

/** Null for what is no file, as a folder of that name. */
function contentOf(path: string): string | null {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return null;
  }
}
