import type { RunRecord, StepRecord } from "../store/record.ts";
import type { Journal } from "../store/store.ts";

/** The record of one run, and its only writer while the run goes on. */
export interface RunJournal {
  readonly record: () => RunRecord;
  readonly find: (kind: StepRecord["kind"], name: string) => StepRecord | undefined;
  /** Resolves when it is durable. Writes go out one after the other, as steps may run side by side. */
  readonly update: (change: Partial<RunRecord>) => Promise<void>;
  /** Adds a step, or changes the one of this kind and name. */
  readonly putStep: (step: Pick<StepRecord, "kind" | "name"> & Partial<StepRecord>) => Promise<void>;
}

const NEW_STEP = { state: "started", undoable: false } as const;

export function runJournal(journal: Journal, id: string, first: RunRecord): RunJournal {
  let current = first;
  let written: Promise<void> = Promise.resolve();

  const update = (change: Partial<RunRecord>): Promise<void> => {
    current = { ...current, ...change };
    const record = current;
    // After a failed write nothing more is written: a later record must not hide that one is missing.
    written = written.then(() => journal.write(id, record));
    return written;
  };
  const isOne = (a: Pick<StepRecord, "kind" | "name">) => (b: StepRecord) => a.kind === b.kind && a.name === b.name;

  return {
    record: () => current,
    find: (kind, name) => current.steps.find(isOne({ kind, name })),
    update,
    putStep: (step) => {
      const known = current.steps.some(isOne(step));
      const steps = known
        ? current.steps.map((one) => (isOne(step)(one) ? { ...one, ...step } : one))
        : [...current.steps, { ...NEW_STEP, ...step }];
      return update({ steps });
    },
  };
}
