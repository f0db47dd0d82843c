import { isKey, type Provider, ProviderError, specHash } from "@slipway/core";
import { BudgetRefusal } from "../budget/claim.ts";
import { startPoll } from "../poll.ts";
import { launchId } from "../store/record.ts";
import type { Lease } from "../store/store.ts";
import { terminateAndConfirm } from "../terminate-and-confirm.ts";
import { mayLive } from "./anywhere-record.ts";
import { type AnywhereControl, type AnywhereLaunch, launchAnywhere } from "./launch-anywhere.ts";
import type { AnywhereOptions } from "./places.ts";
import { AnywhereRefusal, type Refusal, type SpreadLeftover, SpreadRefusal } from "./refusal.ts";
import {
  isForgotten,
  readSpread,
  type SpreadMember,
  type SpreadState,
  spreadId,
  spreadRecord,
} from "./spread-record.ts";

/** What `launchAnywhere` takes, several times. */
export interface SpreadOptions extends AnywhereOptions {
  /** Of the whole: its machines have the keys `<key>-1` to `<key>-<count>`. */
  readonly key: string;
  /** How many machines; 1 to 1,000. */
  readonly count: number;
  /** How many are enough; all of them if absent. */
  readonly minimum?: number | undefined;
}

export interface SpreadControl extends Omit<AnywhereControl, "failpoint"> {
  /** How many are launched at once; 4 if absent. */
  readonly atOnce?: number | undefined;
  /** For tests. Called, and awaited, at each named point. */
  readonly failpoint?: ((name: SpreadFailpoint) => void | Promise<void>) | undefined;
}

/** Where `spread` can be made to stop. */
export type SpreadFailpoint =
  | "before-record"
  | "after-record"
  | "after-member"
  | "before-rollback"
  | "after-end"
  | "after-settled";

/** A machine of a spread. */
export interface SpreadLaunch {
  readonly key: string;
  readonly provider: string;
  readonly instanceId: string;
}

export interface Spread {
  /** In the order of their keys. */
  readonly members: readonly SpreadLaunch[];
  /** The keys of those that no place had capacity for; at most `count - minimum`. */
  readonly missing: readonly string[];
}

interface Running {
  readonly providers: readonly Provider[];
  readonly owner: string;
  readonly options: SpreadOptions;
  readonly minimum: number;
  readonly keys: readonly string[];
  readonly needHash: string;
  readonly control: SpreadControl;
  readonly id: string;
  readonly lease: Lease;
}

const MOST = 1_000;
const AT_ONCE = 4;

/**
 * Launches several machines, each where it is cheapest when its turn comes: all of them, or at least `minimum`. Where fewer
 * can be had, those that were made are terminated again, and it rejects with a SpreadRefusal that names what may be left.
 * Call it again after any crash or unclear failure: machines that were made are found by their keys, and a rollback that
 * was begun is finished. Once it has resolved, the same call returns the same machines and launches nothing more, until the
 * ends of all of them were confirmed and forgotten.
 *
 * @example
 * ```ts
 * const { members, missing } = await spread([provider], { key: "fleet", count: 8, minimum: 5, cpus: 2 }, { store });
 * console.log(members.length, "run", missing.length, "found no place");
 * ```
 */
export async function spread(
  providers: readonly Provider[],
  options: SpreadOptions,
  control: SpreadControl,
): Promise<Spread> {
  const { key, count, minimum = count, signal, timeoutMs, bootstrap: _launchs, expiresAt: _first, ...wanted } = options;
  if (!Number.isInteger(count) || count < 1 || count > MOST) throw invalid(`count must be 1 to ${MOST}`);
  if (!Number.isInteger(minimum) || minimum < 1 || minimum > count) throw invalid("minimum must be 1 to count");
  // The longest of all: one that is refused later would leave the machines of the others.
  if (!isKey(`${key}-${count}`))
    throw invalid(`key must be 1 to ${128 - `-${count}`.length} printable ASCII characters`);
  const [owner = ""] = new Set(providers.map((provider) => provider.owner));
  const poll = startPoll("anywhere", "spread", { ...control, signal, timeoutMs });
  const id = spreadId(owner, key);
  try {
    const lease = await control.store.acquire(id);
    if (lease === null) throw conflict(key, "another process works on it now", "Call again when it has finished.");
    try {
      const keys = Array.from({ length: count }, (_, index) => `${key}-${index + 1}`);
      const needHash = `${specHash(wanted)} ${minimum}/${count}`;
      const given = { ...options, signal: AbortSignal.any([poll.signal, lease.signal]), timeoutMs: undefined };
      return await settle({ providers, owner, options: given, minimum, keys, needHash, control, id, lease });
    } finally {
      await control.store.release(lease).catch(() => undefined);
    }
  } finally {
    poll.release();
  }
}

/** What was written before decides what is to be done now. */
async function settle(run: Running): Promise<Spread> {
  const before = await readSpread(run.control.store, run.id);
  if (before !== null && before.needHash !== run.needHash) {
    throw conflict(run.options.key, "it stands for other options", "Use another key for other machines.");
  }
  if (before?.state === "rolling-back") return rollBack(run, before.members, []);
  const { store, account = "" } = run.control;
  if (before?.state === "settled" && !(await isForgotten(store, { owner: run.owner, account }, before.members))) {
    return settled(run, before.members);
  }
  await run.control.failpoint?.("before-record");
  await write(run, "growing", []);
  await run.control.failpoint?.("after-record");
  const { made, refusals } = await launchAll(run);
  if (made.length < run.minimum) return rollBack(run, made, refusals);
  await write(run, "settled", made);
  await run.control.failpoint?.("after-settled");
  return settled(run, made);
}

function settled({ keys }: Running, members: readonly SpreadMember[]): Spread {
  const there = new Set(members.map(({ key }) => key));
  const inOrder = keys.flatMap((key) => members.filter((one) => one.key === key));
  return {
    members: inOrder.map(({ key, provider, instanceId }) => ({ key, provider, instanceId })),
    missing: keys.filter((key) => !there.has(key)),
  };
}

interface Launches {
  readonly made: readonly SpreadMember[];
  readonly refusals: readonly Refusal[];
}

/** Every machine is made, or is known to have made nothing. Throws where that is not known of one: nothing is ended then. */
async function launchAll(run: Running): Promise<Launches> {
  const { providers, options, control, keys } = run;
  const { count: _count, minimum: _minimum, ...each } = options;
  const { atOnce = AT_ONCE, failpoint, ...rest } = control;
  const made: SpreadMember[] = [];
  const refusals: Refusal[] = [];
  const unclear: unknown[] = [];
  const queue = keys.values();
  const worker = async (): Promise<void> => {
    for (const key of queue) {
      if (unclear.length > 0) return;
      try {
        const launched = await launchAnywhere(providers, { ...each, key }, rest);
        made.push(memberOf(key, launched));
        await failpoint?.("after-member");
      } catch (error) {
        if (error instanceof AnywhereRefusal || error instanceof BudgetRefusal) refusals.push(error);
        else unclear.push(error);
      }
    }
  };
  await Promise.all(Array.from({ length: Math.min(atOnce >= 1 ? atOnce : 1, keys.length) }, worker));
  if (unclear.length > 0) throw unclear[0];
  return { made, refusals };
}

function memberOf(key: string, { instance, place }: AnywhereLaunch): SpreadMember {
  return { key, provider: place.provider, instanceId: instance.id };
}

/**
 * The decision is written before the first end, with the ids that it is about: whoever goes on with it, however late, ends
 * these machines and no later ones.
 */
async function rollBack(run: Running, members: readonly SpreadMember[], refusals: readonly Refusal[]): Promise<never> {
  const { control, options } = run;
  await control.failpoint?.("before-rollback");
  await write(run, "rolling-back", members);
  const leftovers: SpreadLeftover[] = [];
  for (const member of members) {
    const error = await endMember(run, member);
    if (error !== null) leftovers.push({ ...member, error });
    await control.failpoint?.("after-end");
  }
  if (leftovers.length === 0) await control.store.remove(run.id);
  throw new SpreadRefusal(options.key, { count: run.keys.length, minimum: run.minimum }, members.length, {
    refusals,
    leftovers,
  });
}

/** Null once it is gone; else why it may be left. */
async function endMember(run: Running, { key, provider: name, instanceId }: SpreadMember): Promise<unknown> {
  const { control, owner, options } = run;
  const { store, account = "", clock } = control;
  const provider = run.providers.find((one) => one.name === name);
  if (provider === undefined) return new Error(`${name} is not among the providers`);
  try {
    const record = await store.read(launchId({ provider: name, account, owner, key }));
    const isOurs = record?.kind === "launch" && record.instanceId === instanceId;
    // An end that was confirmed was recorded: an earlier call has got so far.
    if (record === null || (isOurs && !mayLive(record))) return null;
    await terminateAndConfirm(provider, instanceId, { store, account, clock, signal: options.signal });
    return null;
  } catch (error) {
    return error;
  }
}

function write(run: Running, state: SpreadState["state"], members: readonly SpreadMember[]): Promise<void> {
  const { control, id, owner, options, needHash } = run;
  return control.store.write(id, spreadRecord(owner, options.key, { state, needHash, members }, control.clock));
}

function conflict(key: string, what: string, hint: string): ProviderError<"CONFLICT"> {
  return new ProviderError("CONFLICT", {
    message: `the spread ${JSON.stringify(key)} cannot be launched: ${what}`,
    provider: "anywhere",
    operation: "spread",
    effect: "none",
    hint,
  });
}

function invalid(message: string): ProviderError<"INVALID_SPEC"> {
  return new ProviderError("INVALID_SPEC", { message, provider: "anywhere", operation: "spread", effect: "none" });
}
