import { type ErrorCode, isProviderError, ProviderError } from "@slipway/core";
import type { JsonValue, RecordedError } from "../store/record.ts";

/** What each code means, for a person. */
export const WORKFLOW_ERROR_CODES = {
  FAILED: "A step or the workflow itself failed; what was done has been undone, but for the leftovers.",
  CANCELLED: "The caller's signal ended it; what was done has been undone, but for the leftovers.",
  TIMED_OUT: "It ran for longer than maxDurationMs; what was done has been undone, but for the leftovers.",
  INVALID_INPUT: "The input is not what the workflow takes. Nothing was done.",
  INVALID_OUTPUT: "What the workflow answered is not what it promises; it has been undone.",
  DUPLICATE_STEP: "Two steps have the same name; what was done has been undone.",
  RESULT_NOT_JSON: "A step's result cannot be kept in a journal; what was done has been undone.",
  MISMATCH: "The journal has this run as one of another workflow, version or input. Nothing was done.",
  BUSY: "Another process runs it now. Nothing was done.",
} as const;

export type WorkflowErrorCode = keyof typeof WORKFLOW_ERROR_CODES;

/** What a run could not undo. */
export interface Leftover {
  readonly step: string;
  /** The key that the step was given: by it the thing is found. */
  readonly key: string;
  /** `unknown`: perhaps there is nothing. */
  readonly outcome: "done" | "unknown";
  /** The step's result, if it has one. */
  readonly result?: unknown;
  /** Why the undo failed. */
  readonly error: unknown;
}

// A registered symbol, so that an error made by another copy of this package is still recognised.
const BRAND = Symbol.for("slipway.WorkflowError");

/** Why a run ended without an output. `cause` is what the step or the workflow threw. */
export class WorkflowError extends Error {
  override readonly name: string = "WorkflowError";
  readonly code: WorkflowErrorCode;
  readonly runId: string;
  /** Empty: nothing is left of the run. Otherwise run it again with its runId, and their undos are tried again. */
  readonly leftovers: readonly Leftover[];

  constructor(
    code: WorkflowErrorCode,
    details: {
      readonly message: string;
      readonly runId: string;
      readonly leftovers?: readonly Leftover[];
      readonly cause?: unknown;
    },
  ) {
    super(details.message, details.cause === undefined ? undefined : { cause: details.cause });
    this.code = code;
    this.runId = details.runId;
    this.leftovers = details.leftovers ?? [];
    Object.defineProperty(this, BRAND, { value: true });
  }
}

/**
 * Is it a WorkflowError, made by any copy of this package, and of one of these codes if any are given?
 *
 * @example
 * ```ts
 * import { runWorkflow } from "@slipway/control";
 * import type { Workflow } from "@slipway/core";
 *
 * export async function run(flow: Workflow, input: unknown): Promise<void> {
 *   await runWorkflow(flow, input, { journal: store, runId: "deploy-7", maxDurationMs: 600_000 }).catch((error) => {
 *     if (!isWorkflowError(error)) throw error;
 *     console.log(error.code, "was not undone:", error.leftovers);
 *   });
 * }
 * ```
 */
export function isWorkflowError(error: unknown, ...codes: readonly WorkflowErrorCode[]): error is WorkflowError {
  if (typeof error !== "object" || error === null || !(BRAND in error)) return false;
  return codes.length === 0 || ("code" in error && codes.some((code) => code === error.code));
}

/**
 * What user code threw; or, where looking at it throws or it cannot be written down, an error that says so. Nothing is
 * known of such a failure, and so the step may have done something.
 */
export function inspectable(thrown: unknown): unknown {
  try {
    return isWhole(written(thrown)) ? thrown : unreadable();
  } catch {
    return unreadable();
  }
}

/** The error as a journal keeps it. */
export function recordError(error: unknown): RecordedError {
  return written(inspectable(error));
}

function unreadable(): Error {
  return new Error("what was thrown cannot be read");
}

function isWhole(recorded: RecordedError): boolean {
  return typeof recorded.name === "string" && typeof recorded.message === "string" && asJson(recorded) !== undefined;
}

function written(error: unknown): RecordedError {
  if (isProviderError(error)) return { name: error.name, message: error.message, provider: error.toJSON() };
  if (isWorkflowError(error)) return { name: error.name, message: error.message, code: error.code };
  return error instanceof Error
    ? { name: error.name, message: error.message }
    : { name: "Error", message: String(error) };
}

/** An error that a replayed workflow can handle as it handled the first one. */
export function reviveError(recorded: RecordedError, runId: string): Error {
  const { provider: details, message } = recorded;
  if (details !== undefined) return new ProviderError<ErrorCode>(details.code, { ...details, message });
  const code = recorded.code;
  if (code !== undefined && isCode(code)) return new WorkflowError(code, { message, runId });
  return Object.assign(new Error(message), { name: recorded.name });
}

export function isCode(code: string): code is WorkflowErrorCode {
  return Object.hasOwn(WORKFLOW_ERROR_CODES, code);
}

/** The value as a journal keeps it, sharing nothing with the original; undefined if it is not JSON or cannot be looked at. */
export function asJson(value: unknown): JsonValue | undefined {
  try {
    return isJson(value) ? jsonCopy(value) : undefined;
  } catch {
    // A getter or a proxy that throws, a cycle through one, a depth that no stack has.
    return undefined;
  }
}

/**
 * Does it come back the same from a journal? Not so dates, maps, class instances, NaN, functions, cycles, and members
 * that are `undefined`.
 */
function isJson(value: unknown, above: readonly unknown[] = []): value is JsonValue {
  if (value === null || typeof value === "boolean" || typeof value === "string") return true;
  if (typeof value === "number") return Number.isFinite(value);
  if (typeof value !== "object" || above.includes(value)) return false;
  const path = [...above, value];
  // `every` would pass over the holes of a sparse array.
  if (Array.isArray(value)) return Array.from(value).every((item) => isJson(item, path));
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype !== Object.prototype && prototype !== null) return false;
  // One that is not enumerable would change what is written.
  if (typeof Reflect.get(value, "toJSON") === "function" || Object.getOwnPropertySymbols(value).length > 0)
    return false;
  return Object.values(value).every((item) => isJson(item, path));
}

function jsonCopy(value: JsonValue): JsonValue {
  return JSON.parse(JSON.stringify(value)) as JsonValue;
}
