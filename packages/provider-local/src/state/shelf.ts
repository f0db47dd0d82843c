import { lstat, mkdir, readdir, readFile, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { nameFor, type Operation } from "@slipway/core";
import type * as z from "zod/mini";
import { failure, systemCode } from "../errors.ts";
import { failpoint } from "../failpoint.ts";
import { flushDirectory, makeDirectory, removeTree, writeDurably } from "./durable-file.ts";
import type { Owned } from "./records.ts";

const NAME = /^slip-[a-z2-7]{8}-[a-z2-7]{20}$/;
const LEFTOVER = /^\.(?:new|end|gone)-(slip-[a-z2-7]{8}-[a-z2-7]{20})-/;
const RECORD = "record.json";

/**
 * Directories of one kind, each named by `nameFor(owner, key)` and tagged by the record in it. A directory appears with
 * its record in one step and disappears in one step, so that none is ever without its tag: one that is was made by
 * somebody else, and is left alone.
 */
export interface Shelf<R extends Owned> {
  readonly directoryOf: (name: string) => string;
  /** Null if there is nothing. Throws `name-taken` for an unmanaged thing, `corrupt-record` for what cannot be read. */
  readonly read: (name: string, operation: Operation) => Promise<R | null>;
  /**
   * Durable when it resolves. The caller holds the name's lock; `fill` puts into the directory what shall be there with
   * the record. It takes away what a creation or a removal of the name that was cut off has left, as `remove` does.
   */
  readonly create: (name: string, record: R, fill?: (directory: string) => Promise<void>) => Promise<void>;
  /** Durable when it resolves. */
  readonly update: (name: string, record: R) => Promise<void>;
  readonly remove: (name: string) => Promise<void>;
  /** From now on anybody may complete the removal, should it be cut off: its name is among `leftNames`. */
  readonly beginRemoval: (name: string) => Promise<void>;
  /** Was a removal begun that has not come to its end? */
  readonly isRemovalBegun: (name: string) => Promise<boolean>;
  /** Takes away what a creation or a removal of the name that was cut off has left. The caller holds the name's lock. */
  readonly sweep: (name: string) => Promise<void>;
  /** Every record, or those of the given names: complete, or it throws. */
  readonly list: (operation: Operation, names?: Iterable<string>) => Promise<readonly R[]>;
  /** Directories that a creation or a removal which was cut off has left. */
  readonly leftovers: () => Promise<readonly string[]>;
  /** The names of such leftovers. Some may be of calls that are still under way: only the name's lock tells. */
  readonly leftNames: () => Promise<readonly string[]>;
}

export function shelf<R extends Owned>(directory: string, schema: z.ZodMiniType<R>): Shelf<R> {
  const directoryOf = (name: string): string => join(directory, name);

  const read = async (name: string, operation: Operation): Promise<R | null> => {
    const path = join(directoryOf(name), RECORD);
    const text = await readFile(path, "utf8").catch((error: unknown) => {
      if (systemCode(error) === "ENOENT" || systemCode(error) === "ENOTDIR") return null;
      throw error;
    });
    if (text !== null) return parse(name, text, operation);
    if (!(await isThere(directoryOf(name)))) return null;
    // It may have been taken away between the two looks.
    if (await isThere(path)) return read(name, operation);
    throw failure("name-taken", operation, `${directoryOf(name)} is there, but was not made by Slipway`);
  };

  const parse = (name: string, text: string, operation: Operation): R => {
    const parsed = schema.safeParse(json(text));
    if (parsed.success && nameFor(parsed.data.owner, parsed.data.key) === name) return parsed.data;
    const issue = parsed.error?.issues[0];
    const where = issue === undefined || issue.path.length === 0 ? "" : ` (${issue.path.join(".")}: ${issue.message})`;
    const what = parsed.success ? "is of another owner or key than its directory" : `cannot be read as one${where}`;
    throw failure("corrupt-record", operation, `the record ${join(directoryOf(name), RECORD)} ${what}`);
  };

  const names = async (test: (name: string) => boolean): Promise<string[]> => {
    const entries = await readdir(directory).catch((error: unknown) => {
      if (systemCode(error) === "ENOENT") return [];
      throw error;
    });
    return entries.filter(test);
  };

  const sweep = async (name: string): Promise<void> => {
    for (const left of await names((entry) => isLeftover(entry) && entry.includes(`-${name}-`))) {
      await removeTree(join(directory, left));
    }
  };

  const begun = (name: string): string => join(directory, `.end-${name}-begun`);

  return {
    directoryOf,
    read,
    sweep,
    // On a full disk the removal itself is what helps.
    beginRemoval: (name) => writeFile(begun(name), "", { mode: 0o600 }).catch(() => undefined),
    isRemovalBegun: (name) => isThere(begun(name)),
    create: async (name, record, fill) => {
      await makeDirectory(directory);
      await sweep(name);
      const draft = join(directory, `.new-${name}-${crypto.randomUUID()}`);
      let place = draft;
      try {
        await mkdir(draft, { mode: 0o700 });
        await fill?.(draft);
        await writeDurably(join(draft, RECORD), text(record));
        await rename(draft, directoryOf(name));
        place = directoryOf(name);
        await flushDirectory(directory);
      } catch (error) {
        await removeTree(place).catch(() => undefined);
        throw error;
      }
    },
    update: (name, record) => writeDurably(join(directoryOf(name), RECORD), text(record)),
    remove: async (name) => {
      const gone = join(directory, `.gone-${name}-${crypto.randomUUID()}`);
      const moved = await rename(directoryOf(name), gone).then(
        () => true,
        (error: unknown) => {
          if (systemCode(error) === "ENOENT") return false;
          throw error;
        },
      );
      failpoint("after-rename");
      if (moved) await flushDirectory(directory);
      await sweep(name);
    },
    list: async (operation, wanted) => {
      const records: R[] = [];
      for (const name of wanted ?? (await names((entry) => NAME.test(entry)))) {
        const path = join(directoryOf(name), RECORD);
        const found = await readFile(path, "utf8").catch((error: unknown) => {
          if (systemCode(error) === "ENOENT" || systemCode(error) === "ENOTDIR") return null;
          throw error;
        });
        if (found !== null) records.push(parse(name, found, operation));
      }
      return records;
    },
    leftovers: () => names(isLeftover),
    leftNames: async () => [...new Set((await names(isLeftover)).flatMap((entry) => LEFTOVER.exec(entry)?.[1] ?? []))],
  };
}

function isLeftover(entry: string): boolean {
  return LEFTOVER.test(entry);
}

function text(record: unknown): string {
  return `${JSON.stringify(record, null, 2)}\n`;
}

function json(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

async function isThere(path: string): Promise<boolean> {
  try {
    await lstat(path);
    return true;
  } catch (error) {
    if (systemCode(error) === "ENOENT") return false;
    throw error;
  }
}
