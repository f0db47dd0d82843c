import { open } from "node:fs/promises";
import { join } from "node:path";
import { timed } from "./measure.ts";

/** What the flushes of this process to disk have taken since the last look. */
export interface FlushMeter {
  readonly take: () => { readonly ms: number; readonly count: number };
  readonly stop: () => void;
}

/**
 * Counts every `FileHandle.sync` of this process. The provider tells nothing of its phases; a durable write is what
 * waits for the disk, and this is where it waits. The class is not exported, so its prototype is taken from a handle.
 */
export async function meterFlushes(directory: string): Promise<FlushMeter> {
  const handle = await open(join(directory, "flush-meter"), "w");
  const prototype: unknown = Object.getPrototypeOf(handle);
  await handle.close();
  if (!isFileHandle(prototype)) throw new Error("a file handle without sync");
  const original = prototype.sync;
  let ms = 0;
  let count = 0;
  prototype.sync = async function (this: unknown): Promise<void> {
    count++;
    ms += await timed(() => original.call(this));
  };
  return {
    take: () => {
      const taken = { ms, count };
      ms = 0;
      count = 0;
      return taken;
    },
    stop: () => {
      prototype.sync = original;
    },
  };
}

function isFileHandle(value: unknown): value is { sync: (this: unknown) => Promise<void> } {
  return typeof value === "object" && value !== null && "sync" in value && typeof value.sync === "function";
}
