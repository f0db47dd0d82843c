import type { Clock } from "@slipway/core";
import { kindOf, rowOf } from "./operations.ts";
import { fieldOf, isThing, type Thing, textIn, thingsIn } from "./things.ts";

/** Remembers what was written lately, so that a read can be answered as if it had not been. */
export interface StaleReads {
  /** Every answer passes here. */
  readonly note: (operation: string, args: readonly unknown[], answer: unknown) => void;
  /** What a read would have answered before the writes of the window. */
  readonly stale: (operation: string, args: readonly unknown[], answer: unknown) => unknown;
}

interface HiddenWrite {
  readonly at: number;
  /** As it was before; undefined: it was not there. */
  readonly before: Thing | undefined;
}

export function staleReads(clock: Clock, windowMs: number): StaleReads {
  const known = new Map<string, Thing>();
  const writes = new Map<string, HiddenWrite>();
  const nameOf = (operation: string, id: string): string => `${kindOf(operation)} ${id}`;

  const wrote = (operation: string, id: string): void => {
    const name = nameOf(operation, id);
    const now = clock.now();
    const earlier = writes.get(name);
    // Two writes in one window: a read that misses both shows what was before the first.
    const within = earlier !== undefined && now - earlier.at < windowMs;
    writes.set(name, { at: now, before: within ? earlier.before : known.get(name) });
  };
  const hidden = (operation: string, id: string): HiddenWrite | undefined => {
    const write = writes.get(nameOf(operation, id));
    return write !== undefined && clock.now() - write.at < windowMs ? write : undefined;
  };

  return {
    note: (operation, args, answer) => {
      if (kindOf(operation) === undefined) return;
      const [id] = args;
      const { writes, result } = rowOf(operation) ?? {};
      // What a write does not return, it names.
      if (writes === true && result === "nothing" && typeof id === "string") wrote(operation, id);
      for (const thing of thingsIn(answer)) {
        if (writes === true) wrote(operation, thing.id);
        known.set(nameOf(operation, thing.id), thing);
      }
    },
    stale: (operation, args, answer) => {
      if (Array.isArray(answer)) {
        return staleList(
          answer,
          args[0],
          (id) => hidden(operation, id),
          missing(operation, writes, clock.now() - windowMs),
        );
      }
      const [id] = args;
      const write = typeof id === "string" ? hidden(operation, id) : undefined;
      if (write === undefined) return answer;
      if (operation === "getSnapshotStatus") return fieldOf(write.before, "status") ?? null;
      return write.before ?? null;
    },
  };
}

/** Things that a late listing still shows though they are gone. */
function missing(operation: string, writes: ReadonlyMap<string, HiddenWrite>, since: number): readonly Thing[] {
  const kind = `${kindOf(operation)} `;
  return [...writes].flatMap(([name, { at, before }]) =>
    name.startsWith(kind) && at > since && before !== undefined ? [before] : [],
  );
}

function staleList(
  answer: readonly unknown[],
  filter: unknown,
  hidden: (id: string) => HiddenWrite | undefined,
  gone: readonly Thing[],
): readonly unknown[] {
  const seen = answer.filter(isThing);
  const then = seen.flatMap((thing) => {
    const write = hidden(thing.id);
    if (write === undefined) return [thing];
    return write.before === undefined ? [] : [write.before];
  });
  const absent = gone.filter((thing) => !seen.some(({ id }) => id === thing.id));
  return [...then, ...absent].filter((thing) => matches(thing, filter));
}

/** The filters of the contract's listings, as far as a thing of the past may fail them. */
function matches(thing: Thing, filter: unknown): boolean {
  const oneOf = (field: string, values: unknown): boolean =>
    !Array.isArray(values) || values.includes(textIn(thing, field));
  const labels = Object.entries(fieldOf(filter, "labels") ?? {});
  const status = fieldOf(filter, "status");
  return (
    (oneOf("id", fieldOf(filter, "ids")) || oneOf("nativeId", fieldOf(filter, "ids"))) &&
    oneOf("key", fieldOf(filter, "keys")) &&
    (status === undefined ? textIn(thing, "status") !== "terminated" : oneOf("status", status)) &&
    (fieldOf(filter, "region") === undefined || fieldOf(filter, "region") === textIn(thing, "region")) &&
    (fieldOf(filter, "instanceId") === undefined || fieldOf(filter, "instanceId") === textIn(thing, "instanceId")) &&
    labels.every(([name, value]) => fieldOf(thing["labels"], name) === value)
  );
}
