import type { Capability, CapabilityFlags, CapabilityRow } from "./capability.ts";
import { type Clock, deadline, timestamp } from "./clock.ts";
import { abortError } from "./errors/abort.ts";
import { isProviderError, ProviderError } from "./errors/provider-error.ts";
import type { RuntimeEvent } from "./events.ts";
import type { ProviderLimits } from "./limits.ts";
import { BASE_LIST_CHECKS, BASE_SPAWN_CHECKS, type RequestRules, refusalOf } from "./spawn-checks.ts";

/** Whether a call can change the remote, and which argument carries `signal` and `timeoutMs`. */
interface CallShape {
  readonly writes: boolean;
  readonly callArgument: number;
  /** Which argument is a request that is checked, and against which rules. */
  readonly checks?: "spawn" | "list";
  /** The first argument is an id. */
  readonly takesId?: true;
}

const read = (callArgument: number): CallShape => ({ writes: false, callArgument });
const write = (callArgument: number): CallShape => ({ writes: true, callArgument });

/** Every contract method. Methods of third parties' capabilities count as writes: that is the safe side. */
const CALLS: Readonly<Record<string, CallShape>> = {
  spawn: { ...write(0), checks: "spawn" },
  terminate: { ...write(1), takesId: true },
  list: { ...read(1), checks: "list" },
  get: { ...read(1), takesId: true },
  createSnapshot: { ...write(1), takesId: true },
  getSnapshotStatus: { ...read(1), takesId: true },
  deleteSnapshot: { ...write(1), takesId: true },
  listSnapshots: read(1),
  requestSpotInstance: { ...write(0), checks: "spawn" },
  cancelSpotRequest: { ...write(1), takesId: true },
  getSpotPrices: read(1),
  listRegions: read(0),
  createVolume: write(0),
  listVolumes: read(1),
  deleteVolume: { ...write(1), takesId: true },
  warmVolume: write(0),
  claimWarmVolume: write(0),
  releaseWarmVolume: { ...write(1), takesId: true },
  hibernate: { ...write(1), takesId: true },
  resume: { ...write(1), takesId: true },
  getCosts: read(0),
  exec: { ...write(2), takesId: true },
};

export interface GuardedProvider {
  readonly name: string;
  readonly limits: ProviderLimits;
  readonly capabilities: CapabilityFlags;
  readonly whyNot: Readonly<Record<string, string | undefined>>;
  readonly refuses: Readonly<Record<string, string | undefined>>;
  readonly rows: ReadonlyMap<Capability, CapabilityRow>;
  readonly ownOptions: ReadonlySet<string>;
  readonly clock: Clock;
  readonly onEvent: ((event: RuntimeEvent) => void) | undefined;
}

type Method = (...args: unknown[]) => unknown;

let calls = 0;

/** Puts the checks, the deadline, the error frame and the events around every contract method of a provider. */
export function guardCalls(members: Map<string, unknown>, provider: GuardedProvider): void {
  const rules = { spawn: rulesFor("spawn", provider), list: rulesFor("list", provider) };
  const merged = [...provider.rows].flatMap(([, row]) => Object.keys(row.methods));
  for (const operation of new Set([...Object.keys(CALLS), ...merged])) {
    const method = members.get(operation);
    if (typeof method !== "function") continue;
    const shape = CALLS[operation] ?? write(1);
    members.set(operation, guarded(operation, shape, method as Method, provider, rules));
  }
}

function rulesFor(aspect: "spawn" | "list", provider: GuardedProvider): RequestRules {
  const owners = new Map<string, Capability>();
  for (const [capability, row] of provider.rows) {
    for (const option of Object.keys(row[aspect])) owners.set(option, capability);
  }
  return {
    limits: provider.limits,
    base: aspect === "spawn" ? BASE_SPAWN_CHECKS : BASE_LIST_CHECKS,
    owners,
    own: aspect === "spawn" ? provider.ownOptions : new Set(),
    capabilities: { ...provider.capabilities },
    refuses: aspect === "spawn" ? provider.refuses : {},
    noun: aspect === "spawn" ? "option" : "filter",
  };
}

function guarded(
  operation: string,
  shape: CallShape,
  method: Method,
  provider: GuardedProvider,
  rules: { readonly spawn: RequestRules; readonly list: RequestRules },
): Method {
  return async (...args) => {
    const { onEvent, clock } = provider;
    const callId = ++calls;
    const begun = onEvent === undefined ? 0 : clock.now();
    onEvent?.({
      type: "call.start",
      at: timestamp(clock),
      provider: provider.name,
      operation,
      callId,
      ...subjectOf(shape, args),
    });
    try {
      const result = await checkedCall(operation, shape, method, provider, rules, args);
      onEvent?.({
        type: "call.end",
        at: timestamp(clock),
        provider: provider.name,
        operation,
        callId,
        durationMs: clock.now() - begun,
        outcome: "ok",
      });
      return result;
    } catch (error) {
      const failure = framed(error, operation, shape, provider.name);
      onEvent?.({
        type: "call.end",
        at: timestamp(clock),
        provider: provider.name,
        operation,
        callId,
        durationMs: clock.now() - begun,
        outcome: "error",
        code: failure.code,
        effect: failure.effect,
      });
      throw failure;
    }
  };
}

function subjectOf(shape: CallShape, args: readonly unknown[]): { readonly id?: string; readonly key?: string } {
  const first = args[0];
  if (shape.takesId === true && typeof first === "string") return { id: first };
  const key: unknown = typeof first === "object" && first !== null && "key" in first ? first.key : undefined;
  return typeof key === "string" ? { key } : {};
}

function checkedCall(
  operation: string,
  shape: CallShape,
  method: Method,
  provider: GuardedProvider,
  rules: { readonly spawn: RequestRules; readonly list: RequestRules },
  args: readonly unknown[],
): unknown {
  const refuse = (code: "INVALID_SPEC" | "UNSUPPORTED", message: string): never => {
    throw new ProviderError(code, { message, provider: provider.name, operation, effect: "none" });
  };
  if (shape.takesId === true && typeof args[0] !== "string") refuse("INVALID_SPEC", `${operation} needs an id`);
  if (shape.checks !== undefined && (args[0] !== undefined || shape.checks === "spawn")) {
    const refusal = refusalOf(args[0], rules[shape.checks]);
    if (refusal !== null) {
      const why = refusal.capability === undefined ? undefined : provider.whyNot[refusal.capability];
      const because = refusal.capability === undefined ? "" : `, which ${provider.name} does not support`;
      refuse(refusal.code, `${refusal.message}${because}${why === undefined ? "" : `: ${why}`}`);
    }
  }
  const given = args.slice();
  if (shape.checks === "spawn") given[0] = withKey(args[0]);

  const call = given[shape.callArgument];
  if (typeof call !== "object" || call === null) return method(...given);
  const signal = "signal" in call && call.signal instanceof AbortSignal ? call.signal : undefined;
  if (signal?.aborted === true) throw abortError(signal, { provider: provider.name, operation, effect: "none" });
  const timeoutMs = "timeoutMs" in call && typeof call.timeoutMs === "number" ? call.timeoutMs : undefined;
  return timeoutMs === undefined
    ? method(...given)
    : callWithin(timeoutMs, signal, provider.clock, (limited) => {
        given[shape.callArgument] = { ...call, signal: limited };
        return method(...given);
      });
}

function withKey(options: unknown): unknown {
  if (typeof options !== "object" || options === null) return options;
  return "key" in options && options.key !== undefined ? options : { ...options, key: crypto.randomUUID() };
}

async function callWithin(
  timeoutMs: number,
  signal: AbortSignal | undefined,
  clock: Clock,
  call: (signal: AbortSignal) => unknown,
): Promise<unknown> {
  const limit = deadline(clock, timeoutMs, signal);
  try {
    return await call(limit.signal);
  } finally {
    limit.release();
  }
}

function framed(error: unknown, operation: string, shape: CallShape, provider: string): ProviderError {
  if (isProviderError(error)) return error;
  // Its text may hold anything, a secret too: it stays in `cause`, and the message names its kind alone.
  const kind = error instanceof Error ? error.name : typeof error;
  return new ProviderError("INTERNAL", {
    message: `${operation} failed in a way that ${provider} does not know (${kind})`,
    provider,
    operation,
    effect: shape.writes ? "unknown" : "none",
    cause: error,
    hint: "This is a fault of the provider package: report it with the error's cause.",
  });
}
