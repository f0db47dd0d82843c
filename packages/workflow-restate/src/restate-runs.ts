import { WorkflowError } from "@slipway/control";
import { type EngineOutcome, outputOf } from "@slipway/control/engine";
import { type Clock, canonicalJson, systemClock, type Workflow } from "@slipway/core";
import { type RestateBegin, serviceName } from "./restate-service.ts";

export interface RestateClientOptions {
  /** Where Restate's ingress is, as `http://127.0.0.1:8080`. */
  readonly ingress: string;
  /** As `restateService` was given it. */
  readonly namespace?: string | undefined;
  readonly fetch?: typeof globalThis.fetch | undefined;
  /** Sent with each request, as for a token. */
  readonly headers?: Readonly<Record<string, string>> | undefined;
  readonly clock?: Clock | undefined;
}

/** Runs on Restate, from any process that reaches its ingress. */
export interface RestateRuns {
  /**
   * Begins a run, or finds the one of this id. MISMATCH if that has another input; rejects where it is not known with which,
   * since no process of its deployment has begun it: then call it again.
   */
  readonly begin: <In>(
    workflow: Workflow<In>,
    input: NoInfer<In>,
    options: { readonly runId: string; readonly maxDurationMs?: number | undefined },
  ) => Promise<void>;
  /** The output of a run, as soon as it has ended; rejects with its WorkflowError. */
  readonly result: <Out>(
    workflow: Pick<Workflow<unknown, Out>, "type" | "output">,
    runId: string,
    options?: { readonly signal?: AbortSignal | undefined },
  ) => Promise<Out>;
  /** Cancels a run: what it did is undone. Rejects where there is none of this id, or it has not begun yet: then call it again. */
  readonly cancel: (workflow: Pick<Workflow, "type">, runId: string) => Promise<void>;
}

const ANSWER_MS = 30_000;
/** How often a run that is there is asked what it was begun with, until it has written that. */
const LOOK_MS = 100;
// Node's fetch waits five minutes for an answer, and a run may take longer.
const CLIENT_TIMEOUTS: ReadonlySet<unknown> = new Set(["UND_ERR_HEADERS_TIMEOUT", "UND_ERR_BODY_TIMEOUT"]);

/**
 * @example
 * ```ts
 * import { register } from "@slipway/provider-aws";
 *
 * const { workflows } = await register({ regions: ["eu-central-1"] }, { owner: "me", variables: process.env });
 *
 * const runs = restateRuns({ ingress: "http://127.0.0.1:8080" });
 * await runs.begin(workflows.multiAz, { spawn: { spec: "m5.large" } }, { runId: "build-17", maxDurationMs: 600_000 });
 * const { instanceId } = await runs.result(workflows.multiAz, "build-17");
 * ```
 */
export function restateRuns(options: RestateClientOptions): RestateRuns {
  const { ingress, headers = {}, fetch = globalThis.fetch, clock = systemClock } = options;
  const call = async (path: string, body?: unknown, signal = AbortSignal.timeout(ANSWER_MS)): Promise<unknown> => {
    const content = body === undefined ? {} : { body: JSON.stringify(body) };
    const type = body === undefined ? {} : { "content-type": "application/json" };
    const method = path.endsWith("/attach") ? "GET" : "POST";
    const answer = await fetch(new URL(path, ingress), {
      method,
      headers: { ...headers, ...type },
      signal,
      ...content,
    });
    const text = await answer.text();
    if (!answer.ok) throw new Error(`Restate answers ${path} with ${answer.status}: ${text.slice(0, 300)}`);
    return text === "" ? undefined : JSON.parse(text);
  };
  const pathOf = (type: string, runId: string): string =>
    `${serviceName(type, options.namespace)}/${encodeURIComponent(runId)}`;

  /** What a run was begun with. It writes that first of all, which may be a moment after Restate has it. */
  const begunWith = async (type: string, runId: string): Promise<{ readonly input: unknown }> => {
    for (const until = clock.now() + ANSWER_MS; ; await clock.sleep(LOOK_MS)) {
      const begun: unknown = await call(`/${pathOf(type, runId)}/begun`);
      if (typeof begun === "object" && begun !== null) return { input: Reflect.get(begun, "input") };
      if (clock.now() < until) continue;
      throw new Error(
        `Restate has the run ${runId}, and ${runId} has not begun within 30 s, so its input is not known: call begin again`,
      );
    }
  };

  return {
    begin: async ({ type }, input, { runId, maxDurationMs }) => {
      const given: RestateBegin = { input: input ?? null, maxDurationMs: maxDurationMs ?? null };
      const sent = await call(`/${pathOf(type, runId)}/run/send`, given);
      if (Reflect.get(Object(sent), "status") !== "PreviouslyAccepted") return;
      const begun = await begunWith(type, runId);
      if (canonicalJson(begun.input) !== canonicalJson(given.input))
        throw new WorkflowError("MISMATCH", {
          message: `${runId} is not resumed: it was begun with another input`,
          runId,
        });
    },
    result: async (workflow, runId, { signal } = {}) => {
      const path = `/restate/workflow/${pathOf(workflow.type, runId)}/attach`;
      for (;;) {
        try {
          // What the service answered: an outcome is all that it returns.
          const outcome = (await call(path, undefined, signal ?? new AbortController().signal)) as EngineOutcome;
          return await outputOf(workflow, runId, outcome);
        } catch (error) {
          if (!isClientTimeout(error)) throw error;
        }
      }
    },
    cancel: async ({ type }, runId) => void (await call(`/${pathOf(type, runId)}/cancel`)),
  };
}

function isClientTimeout(error: unknown): boolean {
  return error instanceof TypeError && CLIENT_TIMEOUTS.has(Reflect.get(Object(error.cause), "code"));
}
