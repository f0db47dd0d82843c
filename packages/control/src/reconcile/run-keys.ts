import type { RunRecord } from "../store/record.ts";
import { stepKey, stepKeyIn } from "../store/run-steps.ts";
import type { LaunchStore } from "../store/store.ts";
import { isStoreError } from "../store/store-error.ts";
import type { PlanItem, UnreadRecords } from "./plan.ts";

/** Which of these keys belong to runs, and what of the runs could not be read. */
export interface RunKeys {
  /** Those that a step of a run has, or may have, made something under. */
  readonly keys: ReadonlySet<string>;
  readonly unread: UnreadRecords | undefined;
}

const NONE: RunKeys = { keys: new Set(), unread: undefined };

/**
 * A run writes down each step before it begins it, so that what a listing shows is in a record that is read after it. What a
 * failed run could not undo is nobody's any more, and neither is what a step has undone.
 */
export async function keysOfRuns(store: LaunchStore, keys: Iterable<string | null>): Promise<RunKeys> {
  const wanted = new Map<string, string[]>();
  for (const key of keys) {
    const step = stepKeyIn(key);
    if (step !== null && key !== null) wanted.set(step, [...(wanted.get(step) ?? []), key]);
  }
  if (wanted.size === 0) return NONE;
  const found = new Set<string>();
  try {
    for await (const { record } of store.entries({ kind: "run" })) {
      if (record.kind !== "run") continue;
      for (const step of stepsOf(record)) for (const key of wanted.get(step) ?? []) found.add(key);
    }
  } catch (error) {
    // These two come after all that can be read.
    if (!isStoreError(error, "CORRUPT", "FORMAT")) throw error;
    const { code, message, hint } = error;
    return { keys: found, unread: { code, message, hint } };
  }
  return { keys: found, unread: undefined };
}

/**
 * Why an orphan among these items may be a run's after all; null where it is none's. The runs are read once for all of them, when
 * the first one is asked about.
 */
export function runsBehind(
  store: LaunchStore,
  items: readonly PlanItem[],
): (key: string | null) => Promise<string | null> {
  let asked: Promise<RunKeys> | undefined;
  return async (key) => {
    if (key === null || stepKeyIn(key) === null) return null;
    asked ??= keysOfRuns(
      store,
      items.map((item) => (item.kind === "orphan" ? item.key : null)),
    );
    const runs = await asked;
    if (runs.keys.has(key)) return "a step of a run has made it";
    return runs.unread === undefined ? null : `it may be of a run: ${runs.unread.message}`;
  };
}

function* stepsOf({ type, runId, state, steps }: RunRecord): Generator<string> {
  if (state === "failed") return;
  for (const { name, kind, outcome, state: step } of steps) {
    if (kind === "step" && outcome !== "none" && step !== "undone") yield stepKey(type, runId, name);
  }
}
