import { open, readFile, truncate } from "node:fs/promises";
import { dirname } from "node:path";
import { syncDirectory } from "./durable-file.ts";
import { errnoOf } from "./file-faults.ts";
import type { StepRecord } from "./record.ts";

/*
 * The steps that a run has added to its record: one line of JSON each, appended and flushed. A line that a crash has cut
 * off was never acknowledged. It has no line end, or holds the zeros of a block that was not written; it is left out by
 * readers, and taken off before the next line is added.
 */

/** Adds a step, so that it would survive a power failure. */
export async function appendStep(path: string, step: StepRecord): Promise<void> {
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
export function parseSteps(text: string): readonly StepRecord[] | null {
  const lines = text.slice(0, wholeLength(text)).split("\n").slice(0, -1);
  try {
    // What they hold is checked as a part of the record.
    return lines.map((line) => JSON.parse(line) as StepRecord);
  } catch {
    return null;
  }
}

/** Takes off what a crash has cut off. */
export async function repairSteps(path: string): Promise<void> {
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
