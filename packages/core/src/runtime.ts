import { type Clock, systemClock } from "./clock.ts";
import type { ErrorCode, ErrorEffect } from "./errors/codes.ts";
import type { Operation } from "./errors/provider-error.ts";

/** How a command ended. A non-zero exit is a result, not an error. */
export interface CommandResult {
  /** Null if a signal ended it. */
  readonly exitCode: number | null;
  readonly signal: string | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface CommandOptions {
  readonly stdin?: string | Uint8Array | undefined;
  readonly env?: Readonly<Record<string, string>> | undefined;
  readonly cwd?: string | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Past it the whole process group is ended and the call rejects. */
  readonly timeoutMs?: number | undefined;
  /** The most bytes kept of each stream; past it the group is ended and the call rejects. */
  readonly maxOutputBytes?: number | undefined;
  readonly onStdout?: ((chunk: string) => void) | undefined;
  readonly onStderr?: ((chunk: string) => void) | undefined;
  /** Values that must not show in a transcript, an event or an error. */
  readonly secrets?: readonly string[] | undefined;
}

/** Runs a program with an argument list, never through a shell. */
export type Exec = (file: string, args: readonly string[], options?: CommandOptions) => Promise<CommandResult>;

/** Paces calls to a remote. Hand one to several providers and they share an account's budget. */
export interface Pacing {
  /** Resolves when one more call of this kind may be sent. `account` and `operation` choose the bucket. */
  readonly acquire: (
    bucket: { readonly account: string; readonly operation: string },
    options?: { readonly cost?: number | undefined; readonly signal?: AbortSignal | undefined },
  ) => Promise<void>;
  /** The remote said to wait: nobody who shares the bucket sends before then. Milliseconds from now. */
  readonly defer: (bucket: { readonly account: string; readonly operation: string }, retryAfterMs: number) => void;
}

export interface Logger {
  readonly debug: (message: string, data?: Readonly<Record<string, unknown>>) => void;
  readonly info: (message: string, data?: Readonly<Record<string, unknown>>) => void;
  readonly warn: (message: string, data?: Readonly<Record<string, unknown>>) => void;
  readonly error: (message: string, data?: Readonly<Record<string, unknown>>) => void;
}

/** When a remote's answer was written, by its own `Date` header: what shows whether this machine's clock is right. */
export interface RemoteDate {
  readonly provider: string;
  /** What the header says, milliseconds; it has whole seconds only. */
  readonly date: number;
  /** By this machine's clock, milliseconds: the answer was written between the two. */
  readonly sentAt: number;
  readonly receivedAt: number;
}

/** All that a provider takes from the outside world. Every factory takes a part of it; what is absent is the machine's own. */
export interface Runtime {
  readonly clock: Clock;
  readonly fetch: typeof globalThis.fetch;
  /** Absent: the provider's own runner (`@slipway/provider-kit/command`). */
  readonly exec: Exec;
  /** Absent: one object per provider, with the remote's published limits. */
  readonly limits: Pacing;
  readonly log: Logger;
  /** Called with redacted, JSON-safe events; never awaited, must not throw. */
  readonly onEvent: (event: RuntimeEvent) => void;
  /** Called with each answer's `Date`, where the remote speaks HTTP; must not throw. For control's `remoteClock`. */
  readonly onRemoteDate?: ((date: RemoteDate) => void) | undefined;
}

const silent = (): void => undefined;
/** Says nothing: the default. */
export const silentLog: Logger = { debug: silent, info: silent, warn: silent, error: silent };

/**
 * The parts that have a default without I/O: clock, fetch, log and onEvent.
 *
 * @example
 * ```ts
 * const { clock, fetch } = runtimeDefaults({ fetch: async () => new Response("{}") });
 * ```
 */
export function runtimeDefaults(
  runtime: Partial<Runtime> = {},
): Pick<Runtime, "clock" | "fetch" | "log" | "onEvent"> & Partial<Runtime> {
  return {
    ...runtime,
    clock: runtime.clock ?? systemClock,
    fetch: runtime.fetch ?? globalThis.fetch,
    log: runtime.log ?? silentLog,
    onEvent: runtime.onEvent === undefined ? silent : guardedListener(runtime.onEvent),
  };
}

/**
 * Tells the runtime when an answer was written. One out of a cache says nothing of the remote's clock now.
 *
 * @example
 * ```ts
 * import type { Runtime } from "@slipway/core";
 *
 * export async function request(runtime: Partial<Runtime>, url: string): Promise<Response> {
 *   const sentAt = Date.now();
 *   const response = await fetch(url, { signal: AbortSignal.timeout(30_000) });
 *   reportRemoteDate(runtime, response.headers, { provider: "acme", sentAt, receivedAt: Date.now() });
 *   return response;
 * }
 * ```
 */
export function reportRemoteDate(
  { onRemoteDate }: Partial<Runtime>,
  headers: { readonly get: (name: string) => string | null },
  at: Omit<RemoteDate, "date">,
): void {
  if (onRemoteDate === undefined || Number(headers.get("age") ?? 0) > 0) return;
  const date = Date.parse(headers.get("date") ?? "");
  if (!Number.isNaN(date)) onRemoteDate({ ...at, date });
}

/**
 * A listener's fault must never become the fault of the call that it listens to.
 *
 * @example
 * ```ts
 * const listen = guardedListener(() => {
 *   throw new Error("the dashboard is down");
 * });
 * listen({ type: "call.start", provider: "memory", operation: "list", callId: 1, at: "2026-01-01T00:00:00.000Z" });
 * ```
 */
export function guardedListener(listener: (event: RuntimeEvent) => void): (event: RuntimeEvent) => void {
  return (event) => {
    try {
      const answer: unknown = listener(event);
      if (answer instanceof Promise) answer.catch(silent);
    } catch {
      // The contract says that it must not throw; there is nobody to tell.
    }
  };
}

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
