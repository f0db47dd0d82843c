import type { SerializedProviderError } from "@slipway/core";

/** JSON as it stands in a store. */
export type JsonValue =
  | null
  | boolean
  | number
  | string
  | readonly JsonValue[]
  | { readonly [name: string]: JsonValue };

/** Which launch a record belongs to: the key alone is unique only within its owner, account and provider. */
export interface LaunchIdentity {
  readonly provider: string;
  /** Tells two accounts of one provider apart; empty where there is only one. */
  readonly account: string;
  readonly owner: string;
  readonly key: string;
}

/** What a launch was asked for, as far as `reconcile` can compare it with an instance. It holds no secret. */
export interface ExpectedInstance {
  readonly spec?: string;
  readonly region?: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly expiresAt?: string;
}

/**
 * One launch. `intended`: a spawn may have been sent, and nobody has seen its answer. `launched`: the instance is known.
 * `refused`: the last spawn is known to have made nothing. `ended`: the instance was there, and its end was confirmed.
 */
export interface LaunchRecord {
  readonly kind: "launch";
  readonly identity: LaunchIdentity;
  readonly state: "intended" | "launched" | "refused" | "ended";
  /** Of the options without the placement. */
  readonly specHash: string;
  /** Counts the spawns under this key, from 1. */
  readonly attempt: number;
  /** When this state was written, ISO 8601 UTC. */
  readonly at: string;
  /** Which of the caller's placements `request` is for. */
  readonly placement: number;
  /**
   * The request as it is sent, bootstrap and secrets included; kept while `intended`, and while `launched` where the spawn
   * said that the instance is not what was asked for: the next launch completes it.
   */
  readonly request?: { readonly [option: string]: JsonValue };
  /** Set once it is `launched`, and kept when it is `ended`. */
  readonly instanceId?: string;
  /** Where the instance runs, where its provider has regions: a process that is not configured for it cannot see it. */
  readonly region?: string;
  readonly expected: ExpectedInstance;
  /** Ids of earlier instances under this key that are known to be gone: a listing that lags may still show them. */
  readonly gone: readonly string[];
  /** Its bootstrap reports, under this name: no other launch has it, of this key neither. */
  readonly reports?: string;
}

/** One step of a run. `started`: it may have happened. */
export interface StepRecord {
  readonly name: string;
  readonly kind: "step" | "sleep" | "now";
  readonly state: "started" | "done" | "failed" | "undone" | "undo-failed";
  /** It has an undo that is owed as long as the step is not known to have done nothing. */
  readonly undoable: boolean;
  /** The step's result, or the time that `sleep` ends at or that `now` told, milliseconds. */
  readonly result?: JsonValue;
  /** Why the step failed. */
  readonly error?: RecordedError;
  /** What is known of its effect; absent while it runs. */
  readonly outcome?: "done" | "unknown" | "none";
  /** Why its undo failed. */
  readonly undoError?: RecordedError;
}

/** An error as a journal keeps it. */
export interface RecordedError {
  readonly name: string;
  readonly message: string;
  /** All fields of a ProviderError. */
  readonly provider?: SerializedProviderError;
  /** The code of a WorkflowError. */
  readonly code?: string;
}

/** One run of a workflow. `undoing`: it has failed or was cancelled, and what it did is being undone. */
export interface RunRecord {
  readonly kind: "run";
  readonly runId: string;
  readonly type: string;
  readonly version: number;
  readonly state: "running" | "undoing" | "completed" | "failed";
  /** ISO 8601 UTC. */
  readonly startedAt: string;
  readonly input: JsonValue;
  /** As its first start gave it: whoever resumes the run keeps it. */
  readonly maxDurationMs?: number;
  readonly steps: readonly StepRecord[];
  readonly output?: JsonValue;
  readonly error?: RecordedError;
  /** Why it failed, as `WorkflowError.code` says it. */
  readonly failure?: string;
}

/**
 * A record whose `data` only its own module reads: a report of a bootstrap, a slot of a pool, the provider that was chosen
 * for a key that may run anywhere, since when an instance is idle, a spread, or what a launch costs of a budget. What is around `data` lets a store filter it without knowing the module.
 */
export interface DataRecord {
  readonly kind: "report" | "pool" | "anywhere" | "idle" | "spread" | "budget";
  /** What it is about, as the key or the name of a pool. */
  readonly name: string;
  readonly owner: string;
  /** Absent where it is not about one provider. */
  readonly provider?: string;
  readonly account?: string;
  /** In the module's own words. */
  readonly state: string;
  /** When this state was written, ISO 8601 UTC. */
  readonly at: string;
  readonly data: JsonValue;
}

export type StoredRecord = LaunchRecord | RunRecord | DataRecord;

/** What a record can be. Each kind has its reader, and leaves all others alone. */
export type RecordKind = StoredRecord["kind"];

/**
 * The id of a record: its kind and what tells it apart from others of its kind, each safe from the separator.
 *
 * @example
 * ```ts
 * recordId("run", "deploy-7") === recordId("run", "deploy-8"); // => false
 * ```
 */
export function recordId(kind: RecordKind, ...parts: readonly string[]): string {
  return [kind, ...parts.map(encodeURIComponent)].join(":");
}

/**
 * The id that a launch is stored under.
 *
 * @example
 * ```ts
 * const identity = { provider: "aws", account: "", owner: "me", key: "worker-1" };
 * launchId(identity) === launchId({ ...identity, key: "worker-2" }); // => false
 * ```
 */
export function launchId(identity: LaunchIdentity): string {
  const { provider, account, owner, key } = identity;
  return recordId("launch", provider, account, owner, key);
}

/**
 * The id that a run of a workflow is stored under.
 *
 * @example
 * ```ts
 * runRecordId("deploy-7") === runRecordId("deploy-8"); // => false
 * ```
 */
export function runRecordId(runId: string): string {
  return recordId("run", runId);
}

type Shape = Readonly<Record<string, (value: unknown) => boolean>>;

const isText = (value: unknown): value is string => typeof value === "string";
const isCount = (value: unknown): boolean => Number.isSafeInteger(value);
const isObject = (value: unknown): value is object =>
  typeof value === "object" && value !== null && !Array.isArray(value);
const isTime = (value: unknown): boolean => isText(value) && !Number.isNaN(Date.parse(value));
const oneOf =
  (...texts: readonly string[]) =>
  (value: unknown): boolean =>
    isText(value) && texts.includes(value);
const optional =
  (check: (value: unknown) => boolean) =>
  (value: unknown): boolean =>
    value === undefined || check(value);
const listOf =
  (check: (value: unknown) => boolean) =>
  (value: unknown): boolean =>
    Array.isArray(value) && value.every(check);
const shaped =
  (shape: Shape) =>
  (value: unknown): boolean =>
    isObject(value) && Object.entries(shape).every(([name, check]) => check(Reflect.get(value, name)));

const isLaunch = shaped({
  identity: shaped({ provider: isText, account: isText, owner: isText, key: isText }),
  state: oneOf("intended", "launched", "refused", "ended"),
  specHash: isText,
  attempt: isCount,
  at: isTime,
  placement: isCount,
  request: optional(isObject),
  instanceId: optional(isText),
  region: optional(isText),
  expected: isObject,
  gone: listOf(isText),
  reports: optional(isText),
});
const isRun = shaped({
  runId: isText,
  type: isText,
  version: isCount,
  state: oneOf("running", "undoing", "completed", "failed"),
  startedAt: isTime,
  maxDurationMs: optional((value) => typeof value === "number"),
  steps: listOf(
    shaped({
      name: isText,
      kind: oneOf("step", "sleep", "now"),
      state: oneOf("started", "done", "failed", "undone", "undo-failed"),
      undoable: (value) => typeof value === "boolean",
    }),
  ),
});

const isData = shaped({
  name: isText,
  owner: isText,
  provider: optional(isText),
  account: optional(isText),
  state: isText,
  at: isTime,
  data: (value) => value !== undefined,
});

/** What a launch in each state must hold. */
const NEEDED: Readonly<Record<LaunchRecord["state"], string>> = {
  intended: "request",
  launched: "instanceId",
  refused: "state",
  ended: "instanceId",
};
const isWholeLaunch = (value: unknown): boolean =>
  isLaunch(value) &&
  Object.entries(NEEDED).some(
    ([state, needed]) =>
      isObject(value) && Reflect.get(value, "state") === state && Reflect.get(value, needed) !== undefined,
  );

const CHECKS: Readonly<Record<RecordKind, (value: unknown) => boolean>> = {
  launch: isWholeLaunch,
  run: isRun,
  report: isData,
  pool: isData,
  anywhere: isData,
  idle: isData,
  spread: isData,
  budget: isData,
};

/**
 * Why a value is not a record: `CORRUPT`, or `FORMAT` where it is of a kind that only a newer version knows. Null if it is
 * a whole record.
 *
 * @example
 * ```ts
 * recordFault("no record"); // => "CORRUPT"
 * ```
 */
export function recordFault(value: unknown): "CORRUPT" | "FORMAT" | null {
  const kind: unknown = isObject(value) ? Reflect.get(value, "kind") : undefined;
  if (!isText(kind) || kind === "") return "CORRUPT";
  const check = Object.entries(CHECKS).find(([known]) => known === kind)?.[1];
  if (check === undefined) return "FORMAT";
  return check(value) ? null : "CORRUPT";
}

/**
 * Is it a whole record? For authors of stores: what does not pass must be reported with the code of `recordFault`, never
 * taken for "nothing there", since that would launch a second instance.
 *
 * @example
 * ```ts
 * isStoredRecord({ kind: "launch" }); // => false
 * ```
 */
export function isStoredRecord(value: unknown): value is StoredRecord {
  return recordFault(value) === null;
}
