import type { RunRecord } from "../store/record.ts";
import { stepKey, stepKeyIn } from "../store/run-steps.ts";
import type { LaunchStore } from "../store/store.ts";
import { isStoreError } from "../store/store-error.ts";
import type { PlanItem, UnreadRecords } from "./plan.ts";

/** Which of these keys belong to runs, and what of the runs could not be read. */
export interface RunKeys {
  /** Those that a step of a run has, or may have, made something under. */
  readonly keys: ReadonlySet<string>;
  /** Those of runs that have failed, and of steps that made nothing or are undone: what is there is nobody's any more. */
  readonly abandoned: ReadonlySet<string>;
  readonly unread: UnreadRecords | undefined;
}

const NONE: RunKeys = { keys: new Set(), abandoned: new Set(), unread: undefined };

/** A run writes down each step before it begins it, so that what a listing shows is in a record that is read after it. */
export async function keysOfRuns(store: LaunchStore, keys: Iterable<string | null>): Promise<RunKeys> {
  const wanted = new Map<string, string[]>();
  for (const key of keys) {
    const step = stepKeyIn(key);
    if (step !== null && key !== null) wanted.set(step, [...(wanted.get(step) ?? []), key]);
  }
  if (wanted.size === 0) return NONE;
  const found = { keys: new Set<string>(), abandoned: new Set<string>() };
  try {
    for await (const { record } of store.entries({ kind: "run" })) {
      if (record.kind !== "run") continue;
      for (const [step, group] of stepsOf(record)) for (const key of wanted.get(step) ?? []) found[group].add(key);
    }
  } catch (error) {
    // These two come after all that can be read.
    if (!isStoreError(error, "CORRUPT", "FORMAT")) throw error;
    const { code, message, hint } = error;
    return { ...found, unread: { code, message, hint } };
  }
  return { ...found, unread: undefined };
}

/**
 * Why an orphan among these items may be a run's after all; null where it is nobody's. What is of a run that the store does not
 * know is nobody's only where the caller says so. The runs are read once for all of them, when the first one is asked about.
 */
export function runsBehind(
  store: LaunchStore,
  items: readonly PlanItem[],
  { endUnknown }: { readonly endUnknown: boolean },
): (key: string | null) => Promise<string | null> {
  let asked: Promise<RunKeys> | undefined;
  return async (key) => {
    if (key === null || stepKeyIn(key) === null) return null;
    asked ??= keysOfRuns(
      store,
      items.map((item) => (item.kind === "orphan" || item.kind === "unknown-run" ? item.key : null)),
    );
    const runs = await asked;
    if (runs.keys.has(key)) return "a step of a run has made it";
    if (runs.unread !== undefined) return `it may be of a run: ${runs.unread.message}`;
    if (endUnknown || runs.abandoned.has(key)) return null;
    return "its run is not in this store, and may go on elsewhere: name the kind unknown-run to end it";
  };
}

function* stepsOf({ type, runId, state, steps }: RunRecord): Generator<readonly [string, "keys" | "abandoned"]> {
  for (const { name, kind, outcome, state: step } of steps) {
    if (kind !== "step") continue;
    const isWanted = state !== "failed" && outcome !== "none" && step !== "undone";
    yield [stepKey(type, runId, name), isWanted ? "keys" : "abandoned"];
  }
}
