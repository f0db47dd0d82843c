import type { ErrorCode, ErrorEffect } from "./errors/codes.ts";
import type { Operation } from "./errors/provider-error.ts";

interface EventBase {
  /** ISO 8601 UTC. */
  readonly at: string;
  readonly provider: string;
}

/** What happens inside providers and control, for progress, logs, metrics and tests. Redacted and JSON-safe. */
export type RuntimeEvent =
  | (EventBase & {
      readonly type: "call.start";
      readonly operation: Operation;
      readonly callId: number;
      readonly key?: string;
      readonly id?: string;
    })
  | (EventBase & {
      readonly type: "call.end";
      readonly operation: Operation;
      readonly callId: number;
      readonly durationMs: number;
      readonly outcome: "ok" | "error";
      readonly code?: ErrorCode;
      readonly effect?: ErrorEffect;
    })
  | (EventBase & {
      readonly type: "wait";
      readonly reason: "pacing" | "retry-after" | "poll";
      readonly operation: Operation;
      readonly ms: number;
    })
  | (EventBase & { readonly type: "placement.tried"; readonly placement: string; readonly outcome: "ok" | ErrorCode })
  | (EventBase & { readonly type: "offering.unavailable"; readonly offering: string; readonly untilMs: number })
  | (EventBase & { readonly type: "batch.sent"; readonly operation: Operation; readonly size: number })
  | (EventBase & { readonly type: "launch.adopted"; readonly key: string; readonly id: string })
  | (EventBase & {
      readonly type: "command.run";
      readonly command: readonly string[];
      readonly durationMs: number;
      readonly exitCode: number | null;
    });
