import type { RunRecord, StepRecord } from "./record.ts";

/** The steps of a run, each once, in the order in which they were first seen; a later one of a kind and name replaces it. */
export interface RunSteps {
  readonly find: (kind: StepRecord["kind"], name: string) => StepRecord | undefined;
  readonly put: (step: StepRecord) => void;
  readonly all: () => readonly StepRecord[];
}

export function runSteps(first: readonly StepRecord[]): RunSteps {
  const steps = new Map<string, StepRecord>();
  const put = (step: StepRecord): void => void steps.set(`${step.kind} ${step.name}`, step);
  for (const step of first) put(step);
  return { find: (kind, name) => steps.get(`${kind} ${name}`), put, all: () => [...steps.values()] };
}

/**
 * The record with what was added to it: what was written comes back as it stands, and a step that was added replaces the
 * last of its kind and name.
 */
export function withSteps(record: RunRecord, added: readonly StepRecord[]): RunRecord {
  if (added.length === 0) return record;
  const steps = [...record.steps];
  const places = new Map(steps.map(({ kind, name }, place) => [`${kind} ${name}`, place]));
  for (const step of added) {
    const named = `${step.kind} ${step.name}`;
    const place = places.get(named) ?? steps.length;
    places.set(named, place);
    steps[place] = step;
  }
  return { ...record, steps };
}
