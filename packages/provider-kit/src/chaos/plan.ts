import { ERROR_CODES, type ErrorCode, type ErrorScope } from "@slipway/core";
import type { FaultTiming } from "../emulator/faults.ts";
import { seededRandom } from "../emulator/random.ts";
import { isRead, kindOf } from "./operations.ts";

/** When a rule of a plan acts. All that are given must hold. */
export interface ChaosTrigger {
  /** A method of the provider, or `*` for every one that calls the remote. */
  readonly operation: string;
  /** How likely at each call, 0 to 1; 1 if absent. */
  readonly probability?: number | undefined;
  /** How often at most; without end if absent. */
  readonly times?: number | undefined;
  /** A script: at these calls only, counted from 1 for each operation by itself, and for `*` over all. */
  readonly calls?: readonly number[] | undefined;
}

interface ErrorFault extends ChaosTrigger {
  /** `before`: nothing is done. `after`: it is done, and the caller gets the error. */
  readonly when: "before" | "after";
  readonly code: ErrorCode;
  /** The code's own if absent. */
  readonly scope?: ErrorScope | undefined;
  readonly retryAfterMs?: number | undefined;
}

interface LostReply extends ChaosTrigger {
  /** It is done, and the caller gets NETWORK. */
  readonly when: "reply-lost";
}

interface DelayedReply extends ChaosTrigger {
  /** It is done, and answered so many milliseconds later. */
  readonly when: "delayed";
  readonly delayMs: number;
}

interface StaleRead extends ChaosTrigger {
  /** A read misses the writes of the last `staleReadMs`. */
  readonly when: "stale-read";
}

export type ChaosFault = ErrorFault | LostReply | DelayedReply | StaleRead;

/** A poorer remote. */
export interface ChaosConstraints {
  /** Live instances of this owner; one more is QUOTA_EXCEEDED. */
  readonly maxInstances?: number | undefined;
  /** Over all live instances of this owner; more is CAPACITY_ERROR. */
  readonly cpus?: number | undefined;
  readonly memoryBytes?: number | undefined;
  /** Instances show as `pending` for so long after they were made. Milliseconds. */
  readonly bootMs?: number | undefined;
  /** What needs space on a disk (instances, snapshots, volumes) is CAPACITY_ERROR. */
  readonly diskFull?: boolean | undefined;
}

export type DriftAction = "stop" | "remove" | "rename" | "addUnmanaged" | "changeAddress";

/** The world changes behind the provider's back, before a call. */
export interface ChaosDrift extends ChaosTrigger {
  readonly action: DriftAction;
  /** Which of the instances that were spawned through this provider, counted from 1 in the order of their spawns. Absent: chance decides. */
  readonly target?: number | undefined;
}

/** What shall go wrong, as data. */
export interface ChaosPlan {
  readonly faults?: readonly ChaosFault[] | undefined;
  readonly constraints?: ChaosConstraints | undefined;
  readonly drift?: readonly ChaosDrift[] | undefined;
  /**
   * How late a stale read may be, milliseconds. The provider's `limits.readAfterWriteMs` is raised to it, so that a stale
   * read keeps the contract. Absent: the provider's own limit.
   */
  readonly staleReadMs?: number | undefined;
}

/** A plan that needs no hand on the world. */
export interface ChaosPlanWithoutDrift extends ChaosPlan {
  readonly drift?: undefined;
}

/** Those of the contract that call nothing, or answer no promise. */
const UNTOUCHED: ReadonlySet<string> = new Set(["generateBootstrap", "logs"]);
const TIMINGS: readonly FaultTiming[] = ["before", "after", "reply-lost", "delayed", "stale-read"];
const ACTIONS: readonly DriftAction[] = ["stop", "remove", "rename", "addUnmanaged", "changeAddress"];

export function isTouched(operation: string): boolean {
  return !UNTOUCHED.has(operation);
}

function canBeStale(operation: string): boolean {
  return isRead(operation) && kindOf(operation) !== undefined;
}

/** Throws a TypeError that names what is wrong: a plan with a typing error would else do nothing, and a test pass. */
export function checkPlan(plan: ChaosPlan, methods: ReadonlySet<string>, staleReadMs: number): void {
  for (const [index, fault] of (plan.faults ?? []).entries()) {
    const at = `faults[${index}]`;
    checkTrigger(fault, at, methods);
    if (!TIMINGS.includes(fault.when)) throw new TypeError(`${at}: when must be one of ${TIMINGS.join(", ")}`);
    if ("code" in fault && !Object.hasOwn(ERROR_CODES, fault.code)) {
      throw new TypeError(`${at}: ${JSON.stringify(fault.code)} is no code of the taxonomy`);
    }
    if ((fault.when === "before" || fault.when === "after") && !("code" in fault))
      throw new TypeError(`${at}: needs a code`);
    if (fault.when === "delayed") checkNumber(fault.delayMs, `${at}: delayMs`);
    if (fault.when === "stale-read" && staleReadMs === 0) {
      throw new TypeError(`${at}: the provider promises fresh reads: set staleReadMs`);
    }
    if (fault.when === "stale-read" && fault.operation !== "*" && !canBeStale(fault.operation)) {
      throw new TypeError(`${at}: ${fault.operation} reads nothing that could be stale`);
    }
  }
  for (const [index, drift] of (plan.drift ?? []).entries()) {
    checkTrigger(drift, `drift[${index}]`, methods);
    if (!ACTIONS.includes(drift.action))
      throw new TypeError(`drift[${index}]: action must be one of ${ACTIONS.join(", ")}`);
  }
  const { diskFull: _isNoNumber, ...bounds } = plan.constraints ?? {};
  for (const [name, value] of Object.entries(bounds))
    if (value !== undefined) checkNumber(value, `constraints.${name}`);
  if (plan.staleReadMs !== undefined) checkNumber(plan.staleReadMs, "staleReadMs");
}

function checkTrigger(trigger: ChaosTrigger, at: string, methods: ReadonlySet<string>): void {
  const { operation, probability, times, calls } = trigger;
  if (operation !== "*" && !(methods.has(operation) && isTouched(operation))) {
    throw new TypeError(`${at}: the provider has no method ${JSON.stringify(operation)} that calls anything`);
  }
  if (probability !== undefined && !(probability >= 0 && probability <= 1)) {
    throw new TypeError(`${at}: probability must be 0 to 1`);
  }
  if (times !== undefined) checkNumber(times, `${at}: times`);
  if (calls?.every((call) => Number.isSafeInteger(call) && call >= 1) === false) {
    throw new TypeError(`${at}: calls are whole numbers from 1`);
  }
}

function checkNumber(value: number, what: string): void {
  if (!(typeof value === "number" && value >= 0 && Number.isFinite(value)))
    throw new TypeError(`${what} must be a number from 0`);
}

/** One call, numbered. */
export interface NumberedCall {
  readonly call: number;
  readonly operation: string;
  readonly nth: number;
}

/** What a plan has for a call. */
export interface Verdict {
  readonly fault: ChaosFault | undefined;
  /** To be called where the fault did not act after all: it is there for the next call again. */
  readonly giveBack: () => void;
  readonly drifts: readonly { readonly drift: ChaosDrift; readonly chance: number }[];
}

interface Dice {
  readonly number: (operation: string) => NumberedCall;
  readonly decide: (call: NumberedCall) => Verdict;
}

/**
 * Decides at once, before anything is awaited. Chance depends on the seed, the rule, the operation and the number of the
 * call alone, so that one call more of another operation changes nothing for this one.
 */
export function dice(plan: ChaosPlan, seed: number): Dice {
  const counts = new Map<string, number>();
  const used = new Map<ChaosTrigger, number>();
  const use = (rule: ChaosTrigger, by: 1 | -1): void => void used.set(rule, (used.get(rule) ?? 0) + by);

  const applies = (rule: ChaosTrigger, at: NumberedCall, salt: string): boolean =>
    (rule.operation === "*" || rule.operation === at.operation) &&
    (rule.calls === undefined || rule.calls.includes(rule.operation === "*" ? at.call : at.nth)) &&
    (rule.times === undefined || (used.get(rule) ?? 0) < rule.times) &&
    (rule.probability === undefined || chanceOf(seed, salt, at) < rule.probability);

  return {
    number: (operation) => {
      const call = (counts.get("*") ?? 0) + 1;
      const nth = (counts.get(operation) ?? 0) + 1;
      counts.set("*", call).set(operation, nth);
      return { call, operation, nth };
    },
    decide: (at) => {
      const fault = plan.faults?.find(
        (rule, index) =>
          (rule.when !== "stale-read" || canBeStale(at.operation)) && applies(rule, at, `fault ${index}`),
      );
      // Taken at once: two calls at the same time do not get the last one both.
      if (fault !== undefined) use(fault, 1);
      const drifts = (plan.drift ?? []).flatMap((drift, index) => {
        if (!applies(drift, at, `drift ${index}`)) return [];
        use(drift, 1);
        return [{ drift, chance: chanceOf(seed, `target ${index}`, at) }];
      });
      return { fault, giveBack: () => (fault === undefined ? undefined : use(fault, -1)), drifts };
    },
  };
}

function chanceOf(seed: number, salt: string, at: NumberedCall): number {
  // FNV-1a over the words: near texts give far numbers, which a sum would not.
  let hash = 0x811c9dc5;
  for (const character of `${seed} ${salt} ${at.operation} ${at.nth}`) {
    hash = Math.imul(hash ^ (character.codePointAt(0) ?? 0), 0x01000193) >>> 0;
  }
  return seededRandom(hash).next();
}
