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

/**
 * A pure function of the workflow's type, the runId and the step's name, and a valid key of the contract whatever they
 * hold. Without the type, runs of two workflows under one runId would find each other's instances.
 *
 * @example
 * ```ts
 * stepKey("machine", "deploy-7", "launch") === stepKey("cluster", "deploy-7", "launch"); // => false
 * ```
 */
export function stepKey(type: string, runId: string, name: string): string {
  return `wf-${process
    .getBuiltinModule("node:crypto")
    .createHash("sha256")
    .update(JSON.stringify([type, runId, name]))
    .digest("hex")
    .slice(0, 40)}`;
}

const STEP_KEY = /^wf-[0-9a-f]{40}/;

/** The step's key that a key is, or begins with: a step may make several things. Null for a key that no run made. */
export function stepKeyIn(key: string | null): string | null {
  return STEP_KEY.exec(key ?? "")?.[0] ?? null;
}

/** The names of record files, twenty bytes each: as texts, those of a store of many years are more than its process has. */
interface RecordNames {
  /** False if it is not the name of a record. */
  readonly add: (file: string) => boolean;
  readonly count: () => number;
  /** Without the suffix. */
  readonly at: (index: number) => string;
}

const RECORD = /^([0-9a-f]{40})\.json$/;
const BYTES = 20;
const FIRST = 64;

export function recordNames(): RecordNames {
  let bytes = Buffer.alloc(FIRST * BYTES);
  let count = 0;
  return {
    add: (file) => {
      const [, name] = RECORD.exec(file) ?? [];
      if (name === undefined) return false;
      if ((count + 1) * BYTES > bytes.length) bytes = Buffer.concat([bytes], bytes.length * 2);
      bytes.write(name, count * BYTES, "hex");
      count += 1;
      return true;
    },
    count: () => count,
    at: (index) => bytes.toString("hex", index * BYTES, (index + 1) * BYTES),
  };
}
