import type { RunRecord, StepRecord } from "../store/record.ts";
import { runSteps } from "../store/run-steps.ts";
import type { Journal } from "../store/store.ts";

/** The record of one run, and its only writer while the run goes on. */
export interface RunJournal {
  readonly record: () => RunRecord;
  readonly find: (kind: StepRecord["kind"], name: string) => StepRecord | undefined;
  /** Resolves when it is durable. Writes go out one after the other, as steps may run side by side. */
  readonly update: (change: Partial<Omit<RunRecord, "steps">>) => Promise<void>;
  /** Adds a step, or changes the one of this kind and name. */
  readonly putStep: (step: Pick<StepRecord, "kind" | "name"> & Partial<StepRecord>) => Promise<void>;
}

const NEW_STEP = { state: "started", undoable: false } as const;

export function runJournal(journal: Journal, id: string, first: RunRecord): RunJournal {
  let current = first;
  const steps = runSteps(first.steps);
  let written: Promise<void> = Promise.resolve();

  const record = (): RunRecord => ({ ...current, steps: steps.all() });
  const write = (work: () => Promise<void>): Promise<void> => {
    // After a failed write nothing more is written: a later record must not hide that one is missing.
    written = written.then(work);
    return written;
  };
  const writeWhole = (): Promise<void> => {
    const whole = record();
    return write(() => journal.write(id, whole));
  };

  return {
    record,
    find: steps.find,
    update: (change) => {
      current = { ...current, ...change };
      return writeWhole();
    },
    putStep: (change) => {
      const step = { ...NEW_STEP, ...steps.find(change.kind, change.name), ...change };
      steps.put(step);
      // The whole record for each step would be written as often as there are steps.
      return journal.appendStep === undefined ? writeWhole() : write(async () => journal.appendStep?.(id, step));
    },
  };
}
