/** What happens in a run, for progress, logs and tests. JSON-safe; it holds names and codes, never a result. */
export type WorkflowEvent = {
  /** ISO 8601 UTC. */
  readonly at: string;
  readonly workflow: string;
  readonly runId: string;
} & (
  | { readonly type: "run.start" | "run.resume" | "run.undo" }
  | { readonly type: "run.end"; readonly outcome: "ok" | "error"; readonly code?: string }
  | { readonly type: "step.start" | "step.replay" | "undo.start"; readonly step: string }
  | { readonly type: "step.retry"; readonly step: string; readonly code: string; readonly delayMs: number }
  | { readonly type: "step.end" | "undo.end"; readonly step: string; readonly outcome: "ok" | "error" }
);
