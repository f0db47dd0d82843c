import {
  CancelledError,
  workflow as defineService,
  handlers,
  type InvocationId,
  type WorkflowContext as RestateContext,
  TerminalError,
  type WorkflowDefinition,
  type WorkflowSharedContext,
} from "@restatedev/restate-sdk";
import type { RunOptions } from "@slipway/control";
import { type EngineOutcome, runOnEngine } from "@slipway/control/engine";
import type { Clock, Workflow } from "@slipway/core";

export interface RestateServiceOptions extends Pick<RunOptions, "graceMs" | "onEvent" | "failpoint"> {
  readonly clock?: Clock | undefined;
  /** Begins the name of the service: programs that share a server have one each. `slipway` if absent. */
  readonly namespace?: string | undefined;
  /** How long Restate keeps how a run ended, milliseconds; 30 days if absent. After it, its run id begins a new run. */
  readonly retentionMs?: number | undefined;
  /** How long a step may go on with no word to Restate, milliseconds; a day if absent. After it, Restate begins it again. */
  readonly longestStepMs?: number | undefined;
}

/** What a run is begun with. */
export interface RestateBegin {
  readonly input: unknown;
  readonly maxDurationMs: number | null;
}

/** What Restate keeps beside a run while it knows it. */
type State = { readonly invocation: InvocationId; readonly input: unknown };

/** One workflow as Restate knows it: give it to `serve` or `createEndpointHandler`. */
export interface RestateService {
  readonly run: (ctx: RestateContext<State>, begin: RestateBegin) => Promise<EngineOutcome>;
  readonly cancel: (ctx: WorkflowSharedContext<State>) => Promise<void>;
  readonly begun: (ctx: WorkflowSharedContext<State>) => Promise<{ readonly input: unknown } | null>;
}

const DAY_MS = 86_400_000;
/** Without end, for what a run takes. */
const MOST_ATTEMPTS = 2 ** 31 - 1;

/**
 * A name that Restate takes, and another one for every type.
 *
 * @example
 * ```ts
 * serviceName("aws.multi-az").includes("."); // => false
 * ```
 */
export function serviceName(type: string, namespace = "slipway"): string {
  return `${namespace}_${type.replaceAll(/[^A-Za-z0-9]/g, (each) => `_${each.codePointAt(0)?.toString(16) ?? ""}_`)}`;
}

/**
 * Makes a service of Restate of a workflow. Its runs are begun, cancelled and awaited with `restateRuns`.
 *
 * @example
 * ```ts
 * import { createServer } from "node:http2";
 * import { createEndpointHandler } from "@restatedev/restate-sdk";
 * import { register } from "@slipway/provider-aws";
 *
 * const { workflows } = await register({ regions: ["eu-central-1"] }, { owner: "me", variables: process.env });
 *
 * createServer(createEndpointHandler({ services: [restateService(workflows.multiAz)] })).listen(9080, "127.0.0.1");
 * ```
 */
export function restateService(
  workflow: Workflow,
  options: RestateServiceOptions = {},
): WorkflowDefinition<string, RestateService> {
  // Where Restate calls a run again, what an earlier call of it still does here has to end first.
  const underWay = new Map<string, Promise<unknown>>();
  const run: RestateService["run"] = async (ctx, { input, maxDurationMs }) => {
    await underWay.get(ctx.key)?.catch(() => undefined);
    const { id, attemptCompletedSignal } = ctx.request();
    ctx.set("invocation", id);
    ctx.set("input", input);
    const engine = {
      // Of what rejects, Restate is told nothing: the work says itself whether it failed.
      once: <T>(name: string, work: () => Promise<T>): Promise<T> => ctx.run(name, work),
      sleep: (ms: number, name: string): Promise<void> => ctx.sleep(ms, name),
      isCancellation: (error: unknown): boolean => error instanceof CancelledError,
      lost: attemptCompletedSignal,
    };
    const how = { ...options, runId: ctx.key, maxDurationMs: maxDurationMs ?? undefined };
    const mine = runOnEngine(workflow, input, engine, how);
    underWay.set(ctx.key, mine);
    try {
      return await mine;
    } finally {
      if (underWay.get(ctx.key) === mine) underWay.delete(ctx.key);
    }
  };
  return defineService({
    name: serviceName(workflow.type, options.namespace),
    handlers: {
      run,
      cancel: handlers.workflow.shared(async (ctx: WorkflowSharedContext<State>) => {
        const id = await ctx.get("invocation");
        if (id === null)
          throw new TerminalError(`there is no run ${ctx.key}, or it has not begun yet`, { errorCode: 404 });
        ctx.cancel(id);
      }),
      begun: handlers.workflow.shared(async (ctx: WorkflowSharedContext<State>) => {
        const [id, input] = [await ctx.get("invocation"), await ctx.get("input")];
        return id === null ? null : { input };
      }),
    },
    options: {
      workflowRetention: options.retentionMs ?? 30 * DAY_MS,
      abortTimeout: options.longestStepMs ?? DAY_MS,
      // A server's own policy pauses a run that it could not go on with for some hours, until somebody resumes it.
      retryPolicy: { maxAttempts: MOST_ATTEMPTS, onMaxAttempts: "pause", maxInterval: 60_000 },
    },
  });
}
