import type { Capability, CapabilityFlags } from "./capability.ts";
import type { CapabilityRow, OperationRow } from "./capability-table.ts";
import { type Clock, deadline, timestamp } from "./clock.ts";
import type { ErrorEffect } from "./errors/codes.ts";
import { abortError, isProviderError, ProviderError } from "./errors/provider-error.ts";
import type { CleanupMethods } from "./extras.ts";
import { isKey } from "./key.ts";
import { coreOperations } from "./operations.ts";
import { type CallOptions, filterShape, spawnShape } from "./options.ts";
import type { ProviderLimits } from "./provider.ts";
import {
  callFault,
  configFault,
  copiedRequest,
  type RequestRules,
  refusalOf,
  type UnlockedOption,
} from "./request-checks.ts";
import type { RuntimeEvent } from "./runtime.ts";

/** What the frame around a call has to know. */
interface CallShape extends Omit<OperationRow, "result"> {
  /** It asks where a spawn could go, and makes nothing: its request gets no key. */
  readonly keyless?: true;
  /** It takes no option but the call's own. */
  readonly exact?: true;
}

/** Methods beyond the contract that core knows. */
const EXTRAS: Readonly<Record<string, CallShape>> = {
  exec: { writes: true, callArgument: 2, takes: "instance" },
  readBootstrap: { writes: false, callArgument: 1, takes: "instance", exact: true },
  terminalCommand: { writes: false, callArgument: 2, takes: "instance", exact: true },
  listOfferings: { writes: false, callArgument: 0, exact: true },
  placements: { writes: false, callArgument: 0, checks: "spawn", keyless: true },
};
const PLAN_CLEANUP: CallShape = { writes: false, callArgument: 0, exact: true };
const REMOVE_LEFTOVER: CallShape = { writes: true, callArgument: 1, exact: true };

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

interface Rules {
  readonly spawn: RequestRules;
  readonly list: RequestRules;
}

/** One kind of call of one provider. */
interface Guard {
  readonly operation: string;
  readonly shape: CallShape;
  readonly method: Method;
  readonly provider: Pick<GuardedProvider, "name" | "limits" | "whyNot" | "clock" | "onEvent">;
  /** For a shape that checks a request. */
  readonly rules?: Rules;
}

/** Puts the checks, the deadline, the error frame and the events around every contract method of a provider. */
export function guardCalls(members: Map<string, unknown>, provider: GuardedProvider): void {
  const rules: Rules = { spawn: rulesFor("spawn", provider), list: rulesFor("list", provider) };
  const shapes: Record<string, CallShape> = { ...coreOperations, ...EXTRAS };
  for (const [, row] of provider.rows) Object.assign(shapes, row.methods);
  for (const [operation, shape] of Object.entries(shapes)) {
    const method = members.get(operation);
    if (typeof method !== "function") continue;
    members.set(operation, guarded({ operation, shape, method: method as Method, provider, rules }));
  }
  // `defineProvider` has checked that it is there.
  const render = members.get("generateBootstrap") as Method;
  members.set("generateBootstrap", guardedRender(render, provider));
}

/** As `guardCalls`, for the methods of a registration's `cleanup`. */
export function guardCleanup(methods: CleanupMethods, provider: Guard["provider"]): CleanupMethods {
  const frame = (operation: "planCleanup" | "removeLeftover", shape: CallShape): Method =>
    guarded({ operation, shape, method: methods[operation] as Method, provider });
  return Object.freeze({
    ...(methods.addsSshKeys === true ? { addsSshKeys: true } : {}),
    planCleanup: frame("planCleanup", PLAN_CLEANUP),
    removeLeftover: frame("removeLeftover", REMOVE_LEFTOVER),
    // Each frame takes and returns what the method that it is put around does.
  }) as unknown as CleanupMethods;
}

function rulesFor(aspect: "spawn" | "list", provider: GuardedProvider): RequestRules {
  const unlocked = new Map<string, UnlockedOption>();
  for (const [capability, row] of provider.rows) {
    for (const [option, shape] of Object.entries(row[aspect])) unlocked.set(option, { capability, shape });
  }
  return {
    limits: provider.limits,
    base: aspect === "spawn" ? spawnShape : filterShape,
    unlocked,
    own: aspect === "spawn" ? provider.ownOptions : new Set(),
    capabilities: { ...provider.capabilities },
    refuses: aspect === "spawn" ? provider.refuses : {},
    noun: aspect === "spawn" ? "option" : "filter",
  };
}

/** How far a call has come: what its failure means depends on it. */
interface Progress {
  sent: boolean;
  signal: AbortSignal | undefined;
}

function guarded(guard: Guard): Method {
  const { operation, shape, provider } = guard;
  const { onEvent, clock } = provider;
  const event = (callId: number) => ({ at: timestamp(clock), provider: provider.name, operation, callId });
  return async (...args) => {
    const callId = ++calls;
    const begun = onEvent === undefined ? 0 : clock.now();
    const progress: Progress = { sent: false, signal: undefined };
    try {
      const given = ownArguments(shape, args);
      onEvent?.({ type: "call.start", ...event(callId), ...subjectOf(shape, given) });
      refuseWrong(guard, given);
      const result = await send(guard, given, progress);
      onEvent?.({ type: "call.end", ...event(callId), durationMs: clock.now() - begun, outcome: "ok" });
      return result;
    } catch (error) {
      const effect = progress.sent && shape.writes ? "unknown" : "none";
      const failure = framed(error, { provider: provider.name, operation, effect }, progress.signal);
      const { code } = failure;
      const durationMs = clock.now() - begun;
      onEvent?.({
        type: "call.end",
        ...event(callId),
        durationMs,
        outcome: "error",
        code,
        effect: failure.effect,
      });
      throw failure;
    }
  };
}

/** Rendering is no call: it is synchronous, and sends no events. */
function guardedRender(render: Method, provider: GuardedProvider): Method {
  const at = { provider: provider.name, operation: "generateBootstrap", effect: "none" } as const;
  return (config) => {
    const wrong = configFault(config, provider.limits);
    if (wrong !== null) throw new ProviderError("INVALID_SPEC", { ...at, message: wrong });
    try {
      return render(config);
    } catch (error) {
      throw framed(error, at, undefined);
    }
  };
}

/** The arguments as they are sent: the request copied, and given a key if it has none. */
function ownArguments(shape: CallShape, args: readonly unknown[]): unknown[] {
  const given = args.slice();
  if (shape.checks !== undefined) given[0] = copiedRequest(args[0]);
  const request = given[0];
  if (
    shape.checks === "spawn" &&
    shape.keyless !== true &&
    typeof request === "object" &&
    request !== null &&
    request !== args[0]
  ) {
    // `copiedRequest` has made it: nobody else sees the change.
    const copied = request as { key?: unknown };
    if (copied.key === undefined) copied.key = crypto.randomUUID();
  }
  return given;
}

function subjectOf(shape: CallShape, args: readonly unknown[]): { readonly id?: string; readonly key?: string } {
  const first = args[0];
  if (shape.takes !== undefined && typeof first === "string") return { id: first };
  const key: unknown = typeof first === "object" && first !== null && "key" in first ? first.key : undefined;
  return isKey(key) ? { key } : {};
}

/** Throws INVALID_SPEC or UNSUPPORTED where the arguments are not what the contract takes. */
function refuseWrong({ operation, shape, provider, rules }: Guard, args: readonly unknown[]): void {
  const refuse = (code: "INVALID_SPEC" | "UNSUPPORTED", message: string): never => {
    throw new ProviderError(code, { message, provider: provider.name, operation, effect: "none" });
  };
  if (shape.takes !== undefined && typeof args[0] !== "string") refuse("INVALID_SPEC", `${operation} needs an id`);
  if (shape.checks !== undefined && rules !== undefined && (args[0] !== undefined || shape.checks === "spawn")) {
    const refusal = refusalOf(args[0], rules[shape.checks]);
    if (refusal !== null) {
      const why = refusal.capability === undefined ? undefined : provider.whyNot[refusal.capability];
      const because = refusal.capability === undefined ? "" : `, which ${provider.name} does not support`;
      refuse(refusal.code, `${refusal.message}${because}${why === undefined ? "" : `: ${why}`}`);
    }
  }
  if (shape.checks === "spawn") {
    // `refusalOf` has let through nothing but a time.
    const { terminateBy } = args[0] as { readonly terminateBy?: string };
    if (terminateBy !== undefined && Date.parse(terminateBy) <= provider.clock.now()) {
      refuse("INVALID_SPEC", `terminateBy is ${terminateBy}, and that time has passed`);
    }
    // The table of spawn's options has the call's own among them.
    return;
  }
  const wrong = callFault(shape.options, args[shape.callArgument], provider.limits);
  if (wrong !== null) refuse("INVALID_SPEC", `${operation}: ${wrong}`);
  if (shape.exact !== true) return;
  // `callFault` has let through nothing but an object.
  for (const name in args[shape.callArgument] as object | undefined) {
    if (name === "signal" || name === "timeoutMs") continue;
    refuse("INVALID_SPEC", `${operation}: unknown option ${JSON.stringify(name)}`);
  }
}

async function send(
  { operation, shape, method, provider }: Guard,
  args: unknown[],
  progress: Progress,
): Promise<unknown> {
  // `refuseWrong` has let through no signal and no time limit of another type.
  const call = args[shape.callArgument] as CallOptions | undefined;
  const signal = call?.signal;
  if (signal?.aborted === true) throw abortError(signal, { provider: provider.name, operation, effect: "none" });
  progress.signal = signal;
  progress.sent = true;
  if (call?.timeoutMs === undefined) return method(...args);

  const limit = deadline(provider.clock, call.timeoutMs, signal);
  progress.signal = limit.signal;
  args[shape.callArgument] = { ...call, signal: limit.signal };
  try {
    return await method(...args);
  } finally {
    limit.release();
  }
}

function framed(
  error: unknown,
  at: { readonly provider: string; readonly operation: string; readonly effect: ErrorEffect },
  signal: AbortSignal | undefined,
): ProviderError {
  if (isProviderError(error)) return error;
  if (signal?.aborted === true && endedBy(error, signal)) return abortError(signal, at);
  // Its text may hold anything, a secret too: it stays in `cause`, and the message names its kind alone.
  const kind = error instanceof Error ? error.name : typeof error;
  return new ProviderError("INTERNAL", {
    ...at,
    message: `${at.operation} failed in a way that ${at.provider} does not know (${kind})`,
    cause: error,
    hint: "This is a fault of the provider package: report it with the error's cause.",
  });
}

/** Is it what fetch, a timer or a command rejects with when its signal ends it? */
function endedBy(error: unknown, signal: AbortSignal): boolean {
  return error === signal.reason || (error instanceof Error && /^(Abort|Timeout)Error$/.test(error.name));
}
