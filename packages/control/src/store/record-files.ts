import { open, readFile, rm, truncate } from "node:fs/promises";
import { dirname, join } from "node:path";
import { replaceFile, syncDirectory } from "./durable-file.ts";
import { eachName, errnoOf, namesThat, onPath, readIfThere } from "./file-faults.ts";
import { isStoredRecord, recordFault, type StepRecord, type StoredRecord } from "./record.ts";
import { recordNames, withSteps } from "./run-steps.ts";
import { type EntryFilter, matchesFilter, type StoreEntry } from "./store.ts";
import { isStoreError, StoreError } from "./store-error.ts";

/** Records as files: `<name>.json`, and beside one of a run `<name>.<token>.steps` with what was added to it since. */
export interface RecordFiles {
  readonly pathOf: (id: string) => string;
  readonly read: (id: string) => Promise<StoredRecord | null>;
  readonly write: (id: string, record: StoredRecord) => Promise<void>;
  readonly appendStep: (id: string, step: StepRecord) => Promise<void>;
  readonly remove: (id: string) => Promise<void>;
  /** Forgets what is known of the files of an id: another process may change them. */
  readonly forget: (id: string) => void;
  /** Every record that the filter wants, and then one error that names every file that cannot be read. */
  readonly entries: (filter: EntryFilter, onStray?: (path: string) => void) => AsyncGenerator<StoreEntry>;
  /** Removes the steps of records that were written anew since, whose process died before it could. */
  readonly sweep: () => Promise<void>;
}

/** 2: the record has a file of steps, and an older version must not take it without them. */
const FORMAT = 1;
const FORMAT_WITH_STEPS = 2;
const SUFFIX = ".json";
const STEPS = /^([0-9a-f]{40})\.([0-9a-f]{24})\.steps$/;
// One file after another would spend most of its time on waiting for the disk.
const READ_AT_ONCE = 32;
// Each round means that the record was written anew while it was read.
const MOST_ROUNDS = 100;

export function recordFiles(root: string, draftPath: () => Promise<string>): RecordFiles {
  const pathOf = (id: string): string => join(root, `${fileNameOf(id)}${SUFFIX}`);
  const stepsOf = (name: string, token: string): string => join(root, `${name}.${token}.steps`);
  // The token of a record's steps, for those that this object holds; null: it has no steps.
  const tokens = new Map<string, string | null>();
  const repaired = new Set<string>();

  const tokenOf = async (id: string): Promise<string | null> => {
    const known = tokens.get(id);
    if (known !== undefined) return known;
    const text = await readIfThere(pathOf(id));
    const content = text === null ? null : parseContent(text);
    return content === null || "fault" in content ? null : content.token;
  };

  const write = async (id: string, record: StoredRecord): Promise<void> => {
    const hasSteps = record.kind === "run";
    const before = hasSteps ? await tokenOf(id) : null;
    const token = hasSteps ? newToken() : null;
    const format = token === null ? { format: FORMAT } : { format: FORMAT_WITH_STEPS, steps: token };
    tokens.delete(id);
    await replaceFile(pathOf(id), `${JSON.stringify({ ...format, id, record }, null, 2)}\n`, await draftPath());
    tokens.set(id, token);
    // Nothing reads them any more, since they belong to another record.
    if (before !== null) await rm(stepsOf(fileNameOf(id), before), { force: true });
  };

  /** The record in a file, with what was added to it; null if there is none. */
  const readFile = async (name: string, isWanted: (record: StoredRecord) => boolean): Promise<Content | null> => {
    const path = join(root, `${name}${SUFFIX}`);
    let text = await readIfThere(path);
    for (let round = 0; round < MOST_ROUNDS && text !== null; round += 1) {
      const content = parseContent(text);
      if ("fault" in content || content.token === null || !isWanted(content.record)) return content;
      const added = await readIfThere(stepsOf(name, content.token));
      if (added !== null) return withAdded(content, added);
      // None yet; or the record was written anew since, and its steps are another file now.
      const again = await readIfThere(path);
      if (again === text) return content;
      text = again;
    }
    return text === null ? null : { fault: "CORRUPT" };
  };

  return {
    pathOf,
    read: async (id) => {
      const content = await readFile(fileNameOf(id), () => true);
      if (content === null) return null;
      if ("fault" in content) throw unreadable([pathOf(id)], content.fault);
      if (content.id !== id) throw unreadable([pathOf(id)], "CORRUPT");
      return content.record;
    },
    write,
    appendStep: async (id, step) => {
      let token = await tokenOf(id);
      if (token === null) {
        // Written by an earlier version.
        const content = await readFile(fileNameOf(id), () => true);
        if (content === null || "fault" in content || content.record.kind !== "run") {
          throw unreadable([pathOf(id)], "CORRUPT");
        }
        await write(id, content.record);
        token = await tokenOf(id);
        if (token === null) throw unreadable([pathOf(id)], "CORRUPT");
      }
      tokens.set(id, token);
      const path = stepsOf(fileNameOf(id), token);
      if (!repaired.has(id)) await repairSteps(path);
      // Until it has succeeded its line may be there in part.
      repaired.delete(id);
      await appendStep(path, step);
      repaired.add(id);
    },
    remove: async (id) => {
      const token = await tokenOf(id);
      await rm(pathOf(id), { force: true });
      // The record must not come back, after a power failure, without its steps.
      await syncDirectory(root);
      if (token !== null) await rm(stepsOf(fileNameOf(id), token), { force: true });
      tokens.delete(id);
    },
    forget: (id) => {
      tokens.delete(id);
      repaired.delete(id);
    },
    entries: async function* (filter, onStray) {
      const names = recordNames();
      await onPath(root, () =>
        eachName(root, (file) => {
          if (!names.add(file) && file.endsWith(SUFFIX)) onStray?.(join(root, file));
        }),
      );
      const unread: { readonly path: string; readonly fault: Fault }[] = [];
      const isWanted = (record: StoredRecord): boolean => matchesFilter(record, filter);
      for (let from = 0; from < names.count(); from += READ_AT_ONCE) {
        const length = Math.min(READ_AT_ONCE, names.count() - from);
        const batch = Array.from({ length }, async (_value, index) => {
          const name = names.at(from + index);
          const path = join(root, `${name}${SUFFIX}`);
          try {
            const content = await onPath(path, () => readFile(name, isWanted));
            return content === null ? null : { path, content };
          } catch (error) {
            if (isStoreError(error, "CORRUPT")) return { path, content: { fault: "CORRUPT" } as const };
            throw error;
          }
        });
        for (const found of await Promise.all(batch)) {
          // Removed since it was listed.
          if (found === null) continue;
          const { path, content } = found;
          if ("fault" in content) {
            const isOther = filter.kind !== undefined && "kind" in content && content.kind !== filter.kind;
            if (!isOther) unread.push({ path, fault: content.fault });
          } else if (pathOf(content.id) !== path) unread.push({ path, fault: "CORRUPT" });
          else if (isWanted(content.record)) yield { id: content.id, record: content.record };
        }
      }
      if (unread.length === 0) return;
      const isCorrupt = unread.some(({ fault }) => fault === "CORRUPT");
      throw unreadable(unread.map(({ path }) => path).sort(), isCorrupt ? "CORRUPT" : "FORMAT");
    },
    sweep: async () => {
      for (const file of await namesThat(root, (one) => STEPS.test(one))) {
        const [, name, token] = STEPS.exec(file) ?? [];
        if (name === undefined || token === undefined) continue;
        // Read after the file was seen: a token never comes back, so one that is not the record's is of an earlier one.
        const text = await readIfThere(join(root, `${name}${SUFFIX}`));
        const content = text === null ? null : parseContent(text);
        if (content !== null && ("fault" in content || content.token === token)) continue;
        await rm(join(root, file), { force: true });
      }
    },
  };
}

/** Ids hold any character and are long; a hash is safe as a name on every file system, and tells nothing. */
export function fileNameOf(id: string): string {
  return process.getBuiltinModule("node:crypto").createHash("sha256").update(id).digest("hex").slice(0, 40);
}

function newToken(): string {
  return process.getBuiltinModule("node:crypto").randomBytes(12).toString("hex");
}

type Fault = "CORRUPT" | "FORMAT";

/** A whole entry, or why it is none, and the kind that it would be of. */
type Content = (StoreEntry & { readonly token: string | null }) | { readonly fault: Fault; readonly kind?: string };

function parseContent(text: string): Content {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value !== "object" || value === null) return { fault: "CORRUPT" };
    const { format, id, record, steps } = value as Partial<Record<string, unknown>>;
    if (typeof format === "number" && format > FORMAT_WITH_STEPS) return { fault: "FORMAT" };
    if ((format !== FORMAT && format !== FORMAT_WITH_STEPS) || typeof id !== "string") return { fault: "CORRUPT" };
    const token = format === FORMAT ? null : steps;
    if (token !== null && (typeof token !== "string" || !/^[0-9a-f]{24}$/.test(token))) return { fault: "CORRUPT" };
    if (isStoredRecord(record)) return { id, record, token };
    const kind: unknown = typeof record === "object" && record !== null ? Reflect.get(record, "kind") : undefined;
    return { fault: recordFault(record) ?? "CORRUPT", ...(typeof kind === "string" ? { kind } : {}) };
  } catch {
    return { fault: "CORRUPT" };
  }
}

function withAdded(content: StoreEntry & { readonly token: string | null }, text: string): Content {
  const added = parseSteps(text);
  if (added === null || content.record.kind !== "run") return { fault: "CORRUPT", kind: content.record.kind };
  const record = withSteps(content.record, added);
  return isStoredRecord(record) ? { ...content, record } : { fault: "CORRUPT", kind: "run" };
}

function unreadable(paths: readonly string[], fault: Fault): StoreError {
  const files = paths.join(", ");
  if (fault === "FORMAT") {
    return new StoreError("FORMAT", {
      message: `${files} was written by a newer version; it was left as it is`,
      hint: "Update @slipway/control here to the version that is used elsewhere.",
      path: paths[0],
    });
  }
  return new StoreError("CORRUPT", {
    message: `${files} cannot be read as a record; it was left as it is`,
    hint:
      "Restore the file from a backup; or look with `list` which instance it stands for, terminate that, and then " +
      "move the file away. Without its record a second instance could be launched.",
    path: paths[0],
  });
}

/*
 * The steps that a run has added to its record: one line of JSON each, appended and flushed. A line that a crash has cut
 * off was never acknowledged. It has no line end, or holds the zeros of a block that was not written; it is left out by
 * readers, and taken off before the next line is added.
 */

/** Adds a step, so that it would survive a power failure. */
async function appendStep(path: string, step: StepRecord): Promise<void> {
  const file = await open(path, "a", 0o600);
  try {
    const isNew = (await file.stat()).size === 0;
    await file.writeFile(`${JSON.stringify(step)}\n`);
    await file.sync();
    if (isNew) await syncDirectory(dirname(path));
  } finally {
    await file.close();
  }
}

/** The steps in a file's text; null if a line that was acknowledged cannot be read. */
function parseSteps(text: string): readonly StepRecord[] | null {
  const lines = text.slice(0, wholeLength(text)).split("\n").slice(0, -1);
  try {
    // What they hold is checked as a part of the record.
    return lines.map((line) => JSON.parse(line) as StepRecord);
  } catch {
    return null;
  }
}

/** Takes off what a crash has cut off. */
async function repairSteps(path: string): Promise<void> {
  const text = await readFile(path, "latin1").catch((error: unknown) => {
    if (errnoOf(error) === "ENOENT") return "";
    throw error;
  });
  // In latin1 a character is a byte.
  const whole = wholeLength(text);
  if (whole < text.length) await truncate(path, whole);
}

/** How much of the text is whole lines. */
function wholeLength(text: string): number {
  const whole = text.lastIndexOf("\n") + 1;
  const before = text.lastIndexOf("\n", whole - 2) + 1;
  return text.slice(before, whole).includes("\0") ? before : whole;
}
