import "./sandbox-globals.ts";
import { getRandomValues, randomUUID } from "node:crypto";
import { defaultPayloadConverter, type Payload, TypedSearchAttributes, type Workflow } from "@temporalio/common";
import { setActivator } from "@temporalio/workflow/lib/global-attributes.js";
import { Activator } from "@temporalio/workflow/lib/internals.js";
import { activate, concludeActivation, initialize } from "@temporalio/workflow/lib/worker-interface.js";

/** What a server tells a run, as Temporal's worker gives it to the code of a workflow. */
export type Job =
  | { readonly variant: "initializeWorkflow"; readonly initializeWorkflow: { readonly arguments: Payload[] } }
  | {
      readonly variant: "resolveActivity";
      readonly resolveActivity: { readonly seq: number; readonly result: Resolution };
    }
  | { readonly variant: "fireTimer"; readonly fireTimer: { readonly seq: number } }
  | { readonly variant: "cancelWorkflow"; readonly cancelWorkflow: Record<string, never> };

export type Resolution =
  | { readonly completed: { readonly result: Payload } }
  | { readonly failed: { readonly failure: object } }
  | { readonly cancelled: { readonly failure: object } };

type Concluded = ReturnType<typeof concludeActivation>;
export type Command = NonNullable<NonNullable<NonNullable<Concluded["successful"]>["commands"]>[number]>;

/** The code of one run on the runtime of `@temporalio/workflow`, from its first job on. */
export interface ReplayedRun {
  /** What the run asks for next. */
  readonly deliver: (job: Job) => Promise<readonly Command[]>;
}

const RANDOM = { random: Math.random, uuid4: () => randomUUID(), fillRandom: getRandomValues };

// All runs have the globals of this process: one at a time.
let last: Promise<unknown> = Promise.resolve();

export function replayRun(workflowId: string, run: Workflow): ReplayedRun {
  const began = new Date(0);
  const activator = new Activator({
    info: {
      workflowId,
      runId: workflowId,
      workflowType: run.name,
      searchAttributes: {},
      typedSearchAttributes: new TypedSearchAttributes(),
      historyLength: 1,
      historySize: 1,
      continueAsNewSuggested: false,
      targetWorkerDeploymentVersionChanged: false,
      taskQueue: "slipway",
      namespace: "default",
      firstExecutionRunId: workflowId,
      originalExecutionRunId: workflowId,
      startTime: began,
      runStartTime: began,
      taskTimeoutMs: 10_000,
      attempt: 1,
      unsafe: { now: Date.now, isReplaying: false, isReplayingHistoryEvents: false, random: RANDOM },
    },
    now: 0,
    randomnessSeed: [1, 2, 3, 4],
    showStackTraceSources: false,
    sourceMap: { version: "3", sources: [], names: [], mappings: "" },
    registeredActivityNames: new Set(["advance"]),
    getTimeOfDay: () => 0n,
    stackTracesEnabled: false,
  });
  activator.workflow = run;

  const deliver = async (job: Job): Promise<readonly Command[]> => {
    setActivator(activator);
    if (job.variant === "initializeWorkflow") initialize(job.initializeWorkflow);
    activate({ jobs: [{ ...job }] });
    // Until nothing more of the workflow runs.
    await new Promise((resolve) => setImmediate(resolve));
    return concludeActivation().successful?.commands ?? [];
  };
  return {
    deliver: (job) => {
      const mine = last.then(() => deliver(job));
      last = mine.catch(() => undefined);
      return mine;
    },
  };
}

export const toPayload = (value: unknown): Payload => defaultPayloadConverter.toPayload(value);
export const fromPayload = (payload: Payload): unknown => defaultPayloadConverter.fromPayload(payload);
