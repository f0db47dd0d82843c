import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { isProviderError } from "@slipway/core";
import type { Call } from "./call.ts";
import type { OrbstackClient } from "./client.ts";
import { parseTag, TAG_PATH, type Tag } from "./tags.ts";
import type { WireMachine } from "./wire.ts";

export interface FoundTag {
  readonly tag: Tag | null;
  /** The file is another machine's: this one is a copy of that, and was not tagged yet. */
  readonly copyOf: Tag | null;
  /** It could not be read now, and may be there. */
  readonly isUnreadable: boolean;
}

export interface FoundText {
  /** Null if it is not there, or cannot be read without a start. */
  readonly text: string | null;
  /** It could not be read now, and may be there. */
  readonly isUnreadable: boolean;
}

/** Reads what Slipway keeps inside machines, and never starts one for it. A tag never changes, so each is read once. */
export interface TagReader {
  readonly read: (call: Call, machine: WireMachine) => Promise<FoundTag>;
  /** What was just written. */
  readonly note: (tag: Tag) => void;
  /** Somebody has removed it. */
  readonly forget: (id: string) => void;
  /** A small file. */
  readonly text: (call: Call, machine: WireMachine, path: string) => Promise<FoundText>;
}

const INSIDE_MS = 30_000;
const MOST = 1_000;

export function tagReader(client: OrbstackClient): TagReader {
  const known = new Map<string, Tag>();
  const note = (tag: Tag): void => {
    known.set(tag.id, tag);
    const [oldest] = known.keys();
    if (known.size > MOST && oldest !== undefined) known.delete(oldest);
  };
  return {
    note,
    forget: (id) => void known.delete(id),
    text: (call, machine, path) => textOf(client, call, machine, path),
    read: async (call, machine) => {
      const noted = known.get(machine.id);
      if (noted !== undefined) return { tag: noted, copyOf: null, isUnreadable: false };
      const { text, isUnreadable } = await textOf(client, call, machine, TAG_PATH);
      const tag = parseTag(text ?? "");
      if (tag === null) return { tag: null, copyOf: null, isUnreadable };
      if (tag.id !== machine.id) return { tag: null, copyOf: tag, isUnreadable };
      note(tag);
      return { tag, copyOf: null, isUnreadable };
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
  const folder = mkdtempSync(join(tmpdir(), "slipway-tag-"));
  const target = join(folder, "tag");
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
