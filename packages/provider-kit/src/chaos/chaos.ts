import {
  abortError,
  type Clock,
  deadline,
  type ErrorCode,
  type ErrorScope,
  layer,
  type Provider,
  ProviderError,
  systemClock,
} from "@slipway/core";
import { type Constraints, constraintsOn } from "./constraints.ts";
import type { ChaosEntry, ChaosJournal } from "./journal.ts";
import { isRead } from "./operations.ts";
import {
  type ChaosDrift,
  type ChaosFault,
  type ChaosPlan,
  type ChaosPlanWithoutDrift,
  checkPlan,
  dice,
  isTouched,
  type NumberedCall,
  type Verdict,
} from "./plan.ts";
import { type StaleReads, staleReads } from "./stale-reads.ts";
import { fieldOf, isThing, textIn } from "./things.ts";

interface Common {
  /** The same seed, plan and calls give the same run on every machine. */
  readonly seed: number;
  /** What delays, slow boots and stale reads are measured on; the machine's own if absent. Give the provider's. */
  readonly clock?: Clock | undefined;
}

/** A plan with drift needs the world that drifts: without it, it does not compile. */
export type ChaosOptions =
  | (Common & { readonly plan: ChaosPlanWithoutDrift; readonly world?: DriftWorld | undefined })
  | (Common & { readonly plan: ChaosPlan; readonly world: DriftWorld });

/** What was done, so far. */
export interface ChaosRun {
  readonly journal: ChaosJournal;
}

const runs = new WeakMap<object, () => ChaosJournal>();

/** The run of a provider that `chaos` answered. Throws a TypeError for any other, also for one that wraps it. */
export function chaosOf(provider: Provider): ChaosRun {
  const journal = runs.get(provider);
  if (journal === undefined) throw new TypeError(`${provider.name} was not made by chaos()`);
  return {
    get journal() {
      return journal();
    },
  };
}

/**
 * The same provider with faults, constraints and drift as the plan says. It keeps the contract: every failure is a
 * ProviderError whose effect is true, and a stale read is within `limits.readAfterWriteMs`. `generateBootstrap` and
 * `logs` are left alone.
 */
export function chaos<P extends Provider>(provider: P, options: ChaosOptions): P {
  const { seed, plan, clock = systemClock } = options;
  const staleReadMs = Math.max(provider.limits.readAfterWriteMs, plan.staleReadMs ?? 0);
  checkPlan(plan, methodNames(provider), staleReadMs);

  const entries: ChaosEntry[] = [];
  const act: Act = {
    provider: provider.name,
    clock,
    world: options.world,
    constraints: constraintsOn(provider, plan.constraints ?? {}, clock),
    stale: staleReads(clock, staleReadMs),
    spawned: [],
    journal: (entry) => entries.push(entry),
  };
  const rolls = dice(plan, seed);
  const wrapped = layer(({ operation, args }, next) => {
    if (!isTouched(operation)) return next();
    const at = rolls.number(operation);
    const verdict = rolls.decide(at);
    return perform(act, at, args, verdict, (given) => methodOf(provider, operation)(...given));
  })(provider);

  const limits = { ...provider.limits, readAfterWriteMs: staleReadMs };
  // Every member of a P, with the definitions that core keeps under a symbol, and another number among its limits.
  const chaotic: P = Object.freeze(
    Object.defineProperties(Object.create(Object.prototype), {
      ...Object.getOwnPropertyDescriptors(wrapped),
      limits: { value: Object.freeze(limits), enumerable: true },
    }),
  );
  runs.set(chaotic, () => ({
    seed,
    ...(plan.constraints === undefined ? {} : { constraints: plan.constraints }),
    ...(plan.staleReadMs === undefined ? {} : { staleReadMs: plan.staleReadMs }),
    entries: entries.toSorted((a, b) => a.call - b.call),
  }));
  return chaotic;
}

function methodNames(provider: object): ReadonlySet<string> {
  const names = new Set<string>();
  for (let level: object | null = provider; level !== null && level !== Object.prototype; ) {
    for (const name of Object.getOwnPropertyNames(level)) {
      if (name !== "constructor" && typeof Reflect.get(provider, name) === "function") names.add(name);
    }
    level = Reflect.getPrototypeOf(level);
  }
  return names;
}

interface Act {
  readonly provider: string;
  readonly clock: Clock;
  readonly world: DriftWorld | undefined;
  readonly constraints: Constraints;
  readonly stale: StaleReads;
  /** Native ids in the order of their spawns. */
  readonly spawned: string[];
  readonly journal: (entry: ChaosEntry) => void;
}

function methodOf(provider: object, operation: string): (...args: readonly unknown[]) => unknown {
  const method: unknown = Reflect.get(provider, operation);
  if (typeof method !== "function") throw new TypeError(`${operation} is no method`);
  return (...args) => Reflect.apply(method, provider, args) as unknown;
}

async function perform(
  act: Act,
  at: NumberedCall,
  args: readonly unknown[],
  { fault, giveBack, drifts }: Verdict,
  call: (args: readonly unknown[]) => unknown,
): Promise<unknown> {
  const limit = limitOf(act.clock, args);
  try {
    for (const { drift, chance } of drifts) await drifted(act, at, drift, chance);
    if (fault?.when === "before") throw failure(act, at, fault, "none");
    const answer = await admitted(act, at, args, call).catch((error: unknown) => {
      // It failed by itself: nothing is left for the fault to spoil.
      giveBack();
      throw error;
    });
    noteSpawned(act, at.operation, answer);
    const read = fault?.when === "stale-read" ? act.stale.stale(at.operation, args, answer) : answer;
    act.stale.note(at.operation, args, answer);
    const shown = act.constraints.shown(at.operation, args, read);
    return fault === undefined ? shown : await answeredWith(act, at, fault, shown, limit.signal);
  } finally {
    limit.release();
  }
}

/** The call itself, if the constraints leave capacity for it. */
async function admitted(
  act: Act,
  at: NumberedCall,
  args: readonly unknown[],
  call: (args: readonly unknown[]) => unknown,
): Promise<unknown> {
  const capacity = await act.constraints.enter(at.operation, args);
  if (typeof capacity !== "function") {
    act.journal({ ...at, kind: "constraint", code: capacity.error.code, what: capacity.what });
    throw capacity.error;
  }
  let answer: unknown;
  try {
    answer = await call(act.constraints.asked(at.operation, args));
  } finally {
    capacity(answer);
  }
  return answer;
}

/** The call has been made: what becomes of its answer. */
async function answeredWith(
  act: Act,
  at: NumberedCall,
  fault: ChaosFault,
  answer: unknown,
  signal: AbortSignal,
): Promise<unknown> {
  const effect = isRead(at.operation) ? "none" : "unknown";
  switch (fault.when) {
    case "before":
    case "after":
    case "reply-lost":
      throw failure(act, at, fault, effect);
    case "delayed":
      act.journal({ ...at, kind: "fault", when: fault.when, delayMs: fault.delayMs });
      try {
        await act.clock.sleep(fault.delayMs, signal);
      } catch {
        throw abortError(signal, { provider: act.provider, operation: at.operation, effect });
      }
      return answer;
    case "stale-read":
      act.journal({ ...at, kind: "fault", when: fault.when });
      return answer;
  }
}

type Failing = Exclude<ChaosFault, { readonly when: "delayed" | "stale-read" }>;

function failure(act: Act, at: NumberedCall, fault: Failing, effect: "none" | "unknown"): ProviderError {
  const { when } = fault;
  const said = when === "reply-lost" ? {} : errorOf(fault);
  act.journal({ ...at, kind: "fault", when, ...said });
  const message = `${at.operation} met chaos (${when}, call ${at.nth})`;
  const place = { provider: act.provider, operation: at.operation };
  return new ProviderError(said.code ?? "NETWORK", { ...said, ...place, message, effect });
}

function errorOf({ code, scope, retryAfterMs }: Extract<ChaosFault, { readonly code: ErrorCode }>): {
  readonly code?: ErrorCode;
  readonly scope?: ErrorScope;
  readonly retryAfterMs?: number;
} {
  return {
    code,
    ...(scope === undefined ? {} : { scope }),
    ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
  };
}

/** The caller's own signal and time limit, wherever among the arguments they stand. */
function limitOf(clock: Clock, args: readonly unknown[]): ReturnType<typeof deadline> {
  const signal = args.map((arg) => fieldOf(arg, "signal")).find((found) => found instanceof AbortSignal);
  const timeoutMs = args.map((arg) => fieldOf(arg, "timeoutMs")).find((found) => typeof found === "number");
  return deadline(clock, timeoutMs, signal);
}

function noteSpawned(act: Act, operation: string, answer: unknown): void {
  if (operation !== "spawn" || !isThing(answer)) return;
  const nativeId = textIn(answer, "nativeId") ?? answer.id;
  if (!act.spawned.includes(nativeId)) act.spawned.push(nativeId);
}

async function drifted(act: Act, at: NumberedCall, { action, target }: ChaosDrift, chance: number): Promise<void> {
  const { world, spawned } = act;
  if (world === undefined) return;
  if (action === "addUnmanaged") {
    await world.addUnmanaged();
    act.journal({ ...at, kind: "drift", action, target: null, nativeId: null });
    return;
  }
  const number = target ?? Math.floor(chance * spawned.length) + 1;
  const nativeId = spawned[number - 1];
  if (nativeId === undefined) return;
  try {
    if (action === "rename") await world.rename(nativeId, `renamed-${number}`);
    else await world[action](nativeId);
  } catch {
    // It is not there any more: nothing was done.
    return;
  }
  act.journal({ ...at, kind: "drift", action, target: number, nativeId });
}

/**
 * A hand on the world itself, behind the provider's back. `MemoryWorld` is one. What the functions answer is awaited and not read; a
 * native id that is not there any more may be refused by throwing, which counts as nothing done.
 */
export interface DriftWorld {
  readonly stop: (nativeId: string) => unknown;
  readonly remove: (nativeId: string) => unknown;
  readonly rename: (nativeId: string, name: string) => unknown;
  readonly addUnmanaged: () => unknown;
  readonly changeAddress: (nativeId: string) => unknown;
}
