import type { AnyProviderError } from "./errors/provider-error.ts";

export type HeartbeatTask = "health_check" | "reconcile" | "orphan_scan" | "refresh_prices";

export const HEARTBEAT_TASKS: readonly HeartbeatTask[] = ["health_check", "reconcile", "orphan_scan", "refresh_prices"];

/** What became of one task. */
export type Receipt =
  | {
      readonly task: HeartbeatTask;
      readonly ok: true;
      readonly details?: Readonly<Record<string, string | number | boolean>>;
    }
  | { readonly task: HeartbeatTask; readonly ok: false; readonly error: AnyProviderError };

export interface HeartbeatRequest {
  readonly tasks: readonly HeartbeatTask[];
  /** ISO 8601 UTC: what is not done by then is answered as failed with TIMEOUT. */
  readonly deadline: string;
}

export interface HeartbeatAnswer {
  /** One receipt for each task that was asked for, in the same order. */
  readonly receipts: readonly Receipt[];
}

export interface ProviderHooks {
  /** Credentials, tools and permissions are there, or a ProviderError that says what is missing and how to get it. */
  readonly onStartup: () => Promise<void>;
  /** Lets go of what the process holds. It terminates no instance. */
  readonly onShutdown: () => Promise<void>;
  /** Answers every task with a receipt; a task that fails does not fail the others. It deletes nothing. */
  readonly onHeartbeat: (request: HeartbeatRequest) => Promise<HeartbeatAnswer>;
}
