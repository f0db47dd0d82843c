type Json<T> = T extends string | number | boolean | null
  ? T
  : T extends ((...args: never) => unknown) | bigint | symbol | undefined
    ? never
    : T extends object
      ? { [K in keyof T]: Json<T[K]> }
      : never;
/** True for types that survive a journal. */
export type IsJson<T> = [T] extends [Json<T>] ? true : false;
export type Storable<T> =
  IsJson<Exclude<T, undefined | void>> extends true ? unknown : { readonly stepResultMustBeJson: true };

/** What a step's function gets. */
export interface StepContext {
  /** A pure function of the workflow's type, runId and the step's name: give it to `spawn`, and a repeated step finds its own effect. */
  readonly key: string;
  readonly signal: AbortSignal;
}

/** What an undo gets. */
export interface UndoContext<T> {
  /** Absent if the step failed with an effect that is not `none`. */
  readonly result?: T;
  readonly outcome: "done" | "unknown";
  readonly key: string;
  readonly signal: AbortSignal;
}

export interface StepRetry {
  /** How often in all, at least 1. */
  readonly attempts: number;
  readonly delayMs: number;
}

export interface StepOptions<T> {
  /** Takes the step back; called in reverse order, also for the step that failed if something may have been done. */
  readonly undo?: ((undo: UndoContext<T>) => Promise<void>) | undefined;
  /** Only errors that are retryable are tried again. None if absent. */
  readonly retry?: StepRetry | undefined;
}

/** Runs one step once and keeps its result. Names are unique in a run; results are JSON or nothing. */
export type Step = <T extends Storable<T>>(
  name: string,
  run: (step: StepContext) => Promise<T>,
  options?: StepOptions<T>,
) => Promise<T>;

/** All that a workflow may use: no other clock, no random source, no I/O outside a step. */
export interface WorkflowContext {
  readonly step: Step;
  /** Durable: a run that was killed waits only for what is left. */
  readonly sleep: (ms: number) => Promise<void>;
  /** Milliseconds since the epoch; the same at every replay. */
  readonly now: () => Promise<number>;
  readonly signal: AbortSignal;
  readonly runId: string;
}

export interface Workflow<In = unknown, Out = unknown> {
  readonly type: string;
  /** Raised when steps change: a run of another version is not resumed. */
  readonly version: number;
  readonly input: Schema<In>;
  readonly output: Schema<Out>;
  // A method on purpose: as a property, In would stand both in and out, and no workflow would fit `Workflow`.
  run(ctx: WorkflowContext, input: In): Promise<Out>;
}

export type WorkflowInput<W> = W extends { readonly input: Schema<infer In> } ? In : never;
export type WorkflowOutput<W> = W extends { readonly output: Schema<infer Out> } ? Out : never;

/**
 * A workflow as data, its types taken from its schemas.
 *
 * @example
 * ```ts
 * import { z } from "zod";
 *
 * export const pair = workflow({
 *   type: "pair",
 *   version: 1,
 *   input: z.object({ spec: z.string() }),
 *   output: z.object({ ids: z.array(z.string()) }),
 *   run: async (ctx, { spec }) => {
 *     const one = await ctx.step("one", async ({ key }) => (await provider.spawn({ key, spec })).id, {
 *       undo: async ({ result }) => {
 *         if (result !== undefined) await provider.terminate(result);
 *       },
 *     });
 *     return { ids: [one] };
 *   },
 * });
 * ```
 */
export function workflow<In, Out>(
  definition: Workflow<In, Out> & { readonly run: (ctx: WorkflowContext, input: NoInfer<In>) => Promise<NoInfer<Out>> },
): Workflow<In, Out> {
  return definition;
}

/** What a provider promises of a workflow that it ships. */
export interface WorkflowContract<In = unknown, Out = unknown> {
  validateInput(input: unknown): In;
  readonly requiredOutputFields: readonly (unknown extends Out ? string : keyof Out & string)[];
  /** Past it the run is cancelled and undone. */
  readonly maxDurationMs: number;
}

// Standard Schema v1: zod 4 and others fit, and core depends on none of them.
export type SchemaResult<T> =
  | { readonly value: T; readonly issues?: undefined }
  | { readonly issues: readonly { readonly message: string }[] };

/** A validator of unknown data that answers a T. */
export interface Schema<out T> {
  readonly "~standard": {
    readonly version: 1;
    readonly vendor: string;
    readonly validate: (value: unknown) => SchemaResult<T> | Promise<SchemaResult<T>>;
    readonly types?: { readonly input: unknown; readonly output: T } | undefined;
  };
}
