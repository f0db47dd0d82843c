import {
  type BaseSpawnOptions,
  type Capability,
  type Clock,
  type Instance,
  isKey,
  isProviderError,
  type Provider,
  ProviderError,
  type RuntimeEvent,
  type SpawnOptions,
  specHash,
  timestamp,
} from "@slipway/core";
import { BudgetRefusal } from "../budget/claim.ts";
import { launch } from "../launch/launch.ts";
import type { LaunchFailpoint } from "../launch/launching.ts";
import { type Poll, startPoll } from "../poll.ts";
import { launchId } from "../store/record.ts";
import type { LaunchStore, Lease } from "../store/store.ts";
import { anywhereId, type Choice, choiceRecord, mayLive, readChoice } from "./anywhere-record.ts";
import { type AnywhereOptions, findPlaces, type Place, type PlaceOrder, requestAt } from "./places.ts";
import { AnywhereRefusal, nameOf, type TriedPlace } from "./refusal.ts";

export interface AnywhereControl {
  /** The store that every `launch` of these providers uses, too. */
  readonly store: LaunchStore;
  /** As it is given to `launch`. */
  readonly account?: string | undefined;
  /** The cheapest first, if absent. */
  readonly order?: PlaceOrder | undefined;
  /** In no 24 hours more than this, US dollars, over all launches of the owner in the store that name a budget. */
  readonly maxUsdPerDay?: number | undefined;
  /** What only this place's provider understands, as an image of its own. The same place must get the same options. */
  readonly optionsFor?: ((place: Place) => Partial<SpawnOptions<Capability>>) | undefined;
  /** How long to wait for another process that works on the key, milliseconds. 0 if absent: CONFLICT at once. */
  readonly leaseTimeoutMs?: number | undefined;
  readonly clock?: Clock | undefined;
  /** Gets `placement.tried` of each place. */
  readonly onEvent?: ((event: RuntimeEvent) => void) | undefined;
  /** For tests. Called, and awaited, at each named point. */
  readonly failpoint?: ((name: AnywhereFailpoint) => void | Promise<void>) | undefined;
}

/** Where `launchAnywhere` can be made to stop, beside the points of the launch itself. */
export type AnywhereFailpoint = "before-choice" | "after-choice" | "before-next" | LaunchFailpoint;

export interface AnywhereLaunch {
  readonly instance: Instance;
  /** As it was given. */
  readonly provider: Provider;
  readonly place: Place;
  /** What `launch` was asked for: the same call returns the same instance. */
  readonly options: BaseSpawnOptions;
  /** What made nothing before. */
  readonly tried: readonly TriedPlace[];
}

interface Running {
  readonly providers: ReadonlyMap<string, Provider>;
  readonly owner: string;
  readonly options: AnywhereOptions;
  readonly needHash: string;
  readonly control: AnywhereControl;
  readonly account: string;
  readonly poll: Poll;
  /** What no place could be asked for, since it would have been too dear. */
  readonly refused: BudgetRefusal[];
}

const LONGEST_LEASE_LOOK = 2;

/**
 * Launches one instance where it is cheapest now, and goes on to the next place only after a failure that is known to have
 * made nothing. Among processes that share a store there is one instance per key, over all the providers: which one was
 * chosen is written before anything is sent, and after a crash the next call with the same key and options goes on there.
 * A `launch` of the key on another provider is CONFLICT. Rejects with an AnywhereRefusal that names every place and why it
 * was not that, with CONFLICT as `launch` does, or with an error of unknown effect: call it again.
 *
 * @example
 * ```ts
 * const { place, instance } = await launchAnywhere([provider], { key: "worker-1", cpus: 2 }, { store });
 * console.log(instance.id, place.provider, place.spec);
 * ```
 */
export async function launchAnywhere(
  providers: readonly Provider[],
  options: AnywhereOptions,
  control: AnywhereControl,
): Promise<AnywhereLaunch> {
  // The bootstrap is left to the launch's own hash, which knows what of it may change. The first call's time is kept.
  const { signal, timeoutMs, key, bootstrap: _launchs, expiresAt: _first, ...wanted } = options;
  const owner = checked(providers, key);
  const poll = startPoll("anywhere", "launchAnywhere", { ...control, signal, timeoutMs });
  const run: Running = {
    providers: new Map(providers.map((provider) => [provider.name, provider])),
    owner,
    options,
    needHash: specHash(wanted),
    control,
    account: control.account ?? "",
    poll,
    refused: [],
  };
  try {
    const lease = await takeLease(run, anywhereId(owner, key));
    try {
      return await settle(run);
    } finally {
      await control.store.release(lease).catch(() => undefined);
    }
  } finally {
    poll.release();
  }
}

/** The owner of all of them. */
function checked(providers: readonly Provider[], key: string): string {
  const [owner, ...others] = new Set(providers.map((provider) => provider.owner));
  if (owner === undefined) throw invalid("there is no provider to launch on");
  if (others.length > 0) throw invalid(`the providers are of several owners: ${[owner, ...others].join(", ")}`);
  if (new Set(providers.map(({ name }) => name)).size < providers.length) throw invalid("a provider is there twice");
  if (!isKey(key)) throw invalid("key must be 1 to 128 printable ASCII characters");
  return owner;
}

async function takeLease(run: Running, id: string): Promise<Lease> {
  const { poll, control } = run;
  const until = poll.clock.now() + (control.leaseTimeoutMs ?? 0);
  for (let look = 0; ; look += 1) {
    poll.check();
    const lease = await control.store.acquire(id);
    if (lease !== null) return lease;
    const left = until - poll.clock.now();
    if (left <= 0) throw conflict(run, "another process works on it now", "Call again when it has finished.");
    await poll.pause(Math.min(look, LONGEST_LEASE_LOOK), left);
  }
}

/** What was chosen before decides what is to be done now. */
async function settle(run: Running): Promise<AnywhereLaunch> {
  const { store } = run.control;
  const tried: TriedPlace[] = [];
  const before = await readChoice(store, run.owner, run.options.key);
  const below = before === null ? null : await store.read(recordOf(run, before.provider, before.account));
  if (before !== null && below?.kind === "launch" && mayLive(below)) {
    const launched = await tryPlace(run, await goOn(run, before), tried, below.expected.expiresAt);
    if (launched !== null) return launched;
  }
  const { order } = run.control;
  const { places, unfit } = await findPlaces([...run.providers.values()], run.options, {
    order,
    signal: run.poll.signal,
  }).catch((error: unknown) => {
    run.poll.check();
    throw error;
  });
  let isFirst = true;
  for (const place of places) {
    if (tried.some((one) => nameOf(one.place) === nameOf(place))) continue;
    await choose(run, place, isFirst ? [...run.providers.keys()] : [tried.at(-1)?.place.provider ?? place.provider]);
    isFirst = false;
    const launched = await tryPlace(run, place, tried, run.options.expiresAt);
    if (launched !== null) return launched;
  }
  const [overBudget] = run.refused;
  if (overBudget !== undefined && run.refused.length === tried.length) throw overBudget;
  throw new AnywhereRefusal(run.options.key, tried, unfit);
}

/** The place of an earlier call, which may have made something there. */
async function goOn(run: Running, choice: Choice): Promise<Place> {
  const { provider, spec, region, usdPerHour, needHash, account } = choice;
  if (!run.providers.has(provider) || account !== run.account) {
    throw conflict(
      run,
      `it was launched on ${provider}, which is not among the providers`,
      `Hand ${provider} in, too.`,
    );
  }
  if (needHash !== run.needHash) {
    throw conflict(run, `it was launched on ${provider} with other options`, "Use another key for another machine.");
  }
  const asOf = timestamp(run.poll.clock);
  return {
    provider,
    spec,
    ...(region === null ? {} : { region }),
    ...(usdPerHour === null ? {} : { price: { usdPerHour, per: "instance", asOf, source: "catalogue" } }),
  };
}

/**
 * Writes the choice while nobody can launch the key on these providers: a launch that ran there before is seen, and one that
 * comes later sees the choice.
 */
async function choose(run: Running, place: Place, names: readonly string[]): Promise<void> {
  const { store, failpoint } = run.control;
  const leases: Lease[] = [];
  await failpoint?.("before-choice");
  try {
    for (const name of names) {
      const id = recordOf(run, name, run.account);
      leases.push(await takeLease(run, id));
      if (mayLive(await store.read(id))) {
        throw conflict(
          run,
          `it was launched on ${name} by itself`,
          "Use another key, or terminate that instance first.",
        );
      }
    }
    const choice: Choice = {
      provider: place.provider,
      account: run.account,
      spec: place.spec,
      region: place.region ?? null,
      usdPerHour: place.price?.usdPerHour ?? null,
      needHash: run.needHash,
    };
    const { owner, options, poll } = run;
    await store.write(anywhereId(owner, options.key), choiceRecord(owner, options.key, choice, poll.clock));
  } finally {
    for (const lease of leases) await store.release(lease).catch(() => undefined);
  }
  await failpoint?.("after-choice");
}

/** The instance; null where this place is known to have made nothing, so that another one may be tried. */
async function tryPlace(
  run: Running,
  place: Place,
  tried: TriedPlace[],
  expiresAt: string | undefined,
): Promise<AnywhereLaunch | null> {
  const provider = run.providers.get(place.provider);
  if (provider === undefined) throw invalid(`there is no provider ${place.provider}`);
  const { store, account, leaseTimeoutMs, clock, onEvent, failpoint } = run.control;
  try {
    const { maxUsdPerDay } = run.control;
    const budget =
      maxUsdPerDay === undefined ? undefined : { maxUsdPerDay, usdPerHour: place.price?.usdPerHour ?? null };
    const control = { store, account, leaseTimeoutMs, clock, onEvent, failpoint, budget, signal: run.poll.signal };
    const wanted = { ...run.options, expiresAt };
    const options: BaseSpawnOptions = Object.assign(
      requestAt(wanted, provider, place),
      run.control.optionsFor?.(place),
    );
    const instance = await launch(provider, options, control);
    tell(run, place, "ok");
    return { instance, provider, place, options, tried };
  } catch (error) {
    if (!isProviderError(error) || !(await madeNothing(run, place, error))) throw error;
    tell(run, place, error.code);
    tried.push({ place, code: error.code, reason: error.message });
    if (error instanceof BudgetRefusal) run.refused.push(error);
    await failpoint?.("before-next");
    return null;
  }
}

function tell({ poll }: Running, place: Place, outcome: ProviderError["code"] | "ok"): void {
  const at = timestamp(poll.clock);
  poll.emit({ type: "placement.tried", at, provider: place.provider, placement: nameOf(place), outcome });
}

/** The launch's own record says so, and not the error alone. */
async function madeNothing(run: Running, place: Place, error: ProviderError): Promise<boolean> {
  if (error.effect !== "none" || ["CONFLICT", "CANCELLED", "BUSY"].includes(error.code)) return false;
  if (run.poll.signal.aborted) return false;
  return !mayLive(await run.control.store.read(recordOf(run, place.provider, run.account)));
}

function recordOf({ owner, options }: Running, provider: string, account: string): string {
  return launchId({ provider, account, owner, key: options.key });
}

function conflict({ options }: Running, what: string, hint: string): ProviderError<"CONFLICT"> {
  const message = `the key ${JSON.stringify(options.key)} cannot be launched anywhere: ${what}`;
  return new ProviderError("CONFLICT", {
    message,
    provider: "anywhere",
    operation: "launchAnywhere",
    effect: "none",
    hint,
  });
}

function invalid(message: string): ProviderError<"INVALID_SPEC"> {
  const at = { provider: "anywhere", operation: "launchAnywhere", effect: "none" } as const;
  return new ProviderError("INVALID_SPEC", { message, ...at });
}
