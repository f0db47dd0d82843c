import {
  type BaseSpawnOptions,
  type Clock,
  type Instance,
  isKey,
  isProviderError,
  type Provider,
  ProviderError,
  projectProvider,
  type SpawnOptionsOf,
  specHash,
} from "@slipway/core";
import { mustBeFree } from "../anywhere/anywhere-record.ts";
import { startPoll } from "../poll.ts";
import { memoryStore } from "../store/memory-store.ts";
import { type LaunchRecord, launchId } from "../store/record.ts";
import type { LaunchStore, Lease } from "../store/store.ts";
import { isStoreError } from "../store/store-error.ts";
import { attempt, isAboutThePlace, newIntent, recordLaunched, send } from "./attempt.ts";
import { complete, hasVolumes } from "./half-made.ts";
import {
  type ControlOf,
  type Launching,
  type LaunchOptions,
  leaseConflict,
  mustSee,
  type OptionsWithoutStore,
  type Request,
  readRecord,
  renderedBy,
  reportingWith,
  specConflict,
  type Unleased,
} from "./launching.ts";
import { adopted, lookUp, stillThere } from "./lookup.ts";

/** As the signatures below, without the provider's own type: they have checked the options against it. */
interface ErasedLaunchOptions extends Omit<LaunchOptions, "placements"> {
  readonly placements?: readonly BaseSpawnOptions[] | undefined;
  readonly store?: LaunchStore | undefined;
}

/**
 * Spawns so that a crash at any point leaves no instance that nobody knows, and no second one: among processes that
 * share a store there is exactly one instance per key. Call it again with the same key and options after any crash or
 * failure, and it finds, completes or repeats what was begun.
 *
 * Resolves when the remote accepted the spawn; `waitForStatus` waits for more. While the last instance of the key is still
 * ending and the remote holds its name, it waits, ten minutes or `timeoutMs`. Rejects with the provider's own error,
 * with CONFLICT if another process works on the key or other options stand under it, or with a StoreError.
 * Without a store only where the provider's type has `idempotentSpawn`.
 *
 * @example
 * ```ts
 * const instance = await launch(provider, { key: "worker-1", spec: "m1.small" }, { store });
 * // The same call after a crash, in any process, finds the same instance.
 * (await launch(provider, { key: "worker-1", spec: "m1.small" }, { store })).id === instance.id; // => true
 * ```
 */
export function launch<P extends Provider>(provider: P, options: OptionsWithoutStore<P>): Promise<Instance>;
export function launch<P extends Provider>(
  provider: P,
  options: SpawnOptionsOf<P>,
  control: ControlOf<P>,
): Promise<Instance>;
export async function launch(
  exact: Provider,
  options: BaseSpawnOptions,
  control: ErasedLaunchOptions = {},
): Promise<Instance> {
  const provider: Provider = projectProvider<Provider>(exact);
  const { signal, timeoutMs, key = crypto.randomUUID(), ...wanted } = options;
  if (!isKey(key)) throw invalid(provider, "key must be 1 to 128 printable ASCII characters");
  if (control.store === undefined && !provider.capabilities.idempotentSpawn) throw needsStore(provider);

  const identity = { provider: provider.name, account: control.account ?? "", owner: provider.owner, key };
  const reporting = reportingWith(provider, wanted.bootstrap, identity, control);
  const given = asRequest(provider, { ...wanted, ...(reporting === null ? {} : { bootstrap: reporting.any }), key });
  const poll = startPoll(provider.name, "launch", { ...control, timeoutMs, signal: either(signal, control.signal) });
  const run: Unleased = {
    provider,
    store: control.store ?? memoryStore(),
    identity,
    recordId: launchId(identity),
    request: withOwnEnd(provider, given, poll.clock),
    // Of what the caller gave: the end that is added is no other machine.
    specHash: specHash(given),
    bootstrapOf: reporting?.of,
    placements: (control.placements ?? []).length === 0 ? [{}] : (control.placements ?? []).map(placementOf(provider)),
    budget: control.budget,
    poll,
    busyUntil: timeoutMs === undefined ? poll.clock.now() + LONGEST_BUSY_MS : Number.POSITIVE_INFINITY,
    failpoint: control.failpoint ?? ((): void => undefined),
  };
  try {
    return await underLease(run, control.leaseTimeoutMs ?? 0);
  } finally {
    poll.release();
  }
}

const LONGEST_BUSY_MS = 600_000;

async function underLease(unleased: Unleased, timeoutMs: number): Promise<Instance> {
  const { store, poll } = unleased;
  let lease = await takeLease(unleased, timeoutMs);
  // What came of it is recorded, and matters more than whether the lease could be given back: the store tries again.
  const giveBack = (): Promise<void> => store.release(lease).catch(() => undefined);
  const regain = async (withinMs: number): Promise<boolean> => {
    await giveBack();
    const until = poll.clock.now() + withinMs;
    for (;;) {
      try {
        lease = await takeLease(unleased, until - poll.clock.now());
        return true;
      } catch (error) {
        if (isProviderError(error, "CONFLICT")) return false;
        if (!isStoreError(error, "UNAVAILABLE") || poll.clock.now() >= until) throw error;
        await poll.pause(LONGEST_LEASE_LOOK);
      }
    }
  };
  try {
    return await settle({ ...unleased, lease: () => lease, regain });
  } finally {
    await giveBack();
  }
}

// A launch holds its lease for as long as one spawn takes, and asking for it is a look at the store: the waits stay
// short, or the last of many that wait for one key would sleep while nobody holds it.
const LONGEST_LEASE_LOOK = 2;

async function takeLease(run: Unleased, timeoutMs: number): Promise<Lease> {
  const until = run.poll.clock.now() + timeoutMs;
  for (let look = 0; ; look += 1) {
    run.poll.check();
    const lease = await run.store.acquire(run.recordId);
    if (lease !== null) return lease;
    const left = until - run.poll.clock.now();
    if (left <= 0) throw leaseConflict(run);
    await run.poll.pause(Math.min(look, LONGEST_LEASE_LOOK), left);
  }
}

/** What the record says about earlier calls decides what is to be done now. */
async function settle(run: Launching): Promise<Instance> {
  const record = await readRecord(run);
  if (record === null || record.state === "refused" || record.state === "ended") {
    await mustBeFree(run.provider, run.store, run.identity);
  }
  if (record === null || record.state === "refused") return attempt(run, newIntent(run, record));
  if (record.state === "ended") return attempt(run, newIntent(run, record, record.instanceId));
  run.poll.setEffect("unknown");
  if (record.state === "intended") {
    await mustSee(run, record);
    return recover(run, record);
  }
  run.poll.setEffect("none");

  // `isStoredRecord` has seen to it that a launched record has an id.
  const id = record.instanceId ?? "";
  const instance = await stillThere(run, id);
  if (instance === null) {
    await mustSee(run, record);
    return replace(run, record, id);
  }
  if (record.specHash !== run.specHash) throw specConflict(run, instance);
  if (record.request === undefined) return adopted(run, instance);
  const whole = await complete(run, record, instance);
  await recordLaunched(run, record, whole);
  return adopted(run, whole);
}

/** Launches anew, since the instance of this record is gone. */
async function replace(run: Launching, record: LaunchRecord, id: string): Promise<Instance> {
  try {
    return await attempt(run, newIntent(run, record, id));
  } catch (error) {
    // The remote says that it is not gone: the key keeps it, or it would look like nobody's.
    if (isProviderError(error, "CONFLICT") && error.effect === "none" && error.native?.id === id) {
      await run.store.write(run.recordId, record);
    }
    throw error;
  }
}

/** A spawn may have been sent, and whoever sent it is gone. */
async function recover(run: Launching, intent: LaunchRecord): Promise<Instance> {
  if (run.provider.capabilities.idempotentSpawn && intent.specHash === run.specHash) return resend(run, intent);
  const found = await lookUp(run, intent.gone);
  if (found === null) return attempt(run, newIntent(run, intent));
  if (intent.specHash === run.specHash && hasVolumes(intent)) return resend(run, intent);
  await recordLaunched(run, intent, found);
  if (intent.specHash !== run.specHash) throw specConflict(run, found);
  return adopted(run, found);
}

/** The stored request, not the caller's: only the same bytes are the same request to the remote. */
async function resend(run: Launching, intent: LaunchRecord): Promise<Instance> {
  try {
    return await send(run, intent, true);
  } catch (error) {
    const next = intent.placement + 1;
    if (next >= run.placements.length || !isAboutThePlace(error)) throw error;
    // That this call made nothing says nothing of an earlier one: only the record says that the key has nothing.
    if ((await readRecord(run))?.state !== "refused") throw error;
    return attempt(run, newIntent(run, intent));
  }
}

/** The request as it will be sent and stored: bootstrap rendered, plain JSON. */
function asRequest(provider: Provider, options: BaseSpawnOptions): Request {
  const { bootstrap } = options;
  const rendered = bootstrap === undefined ? {} : { bootstrap: renderedBy(provider, bootstrap) };
  return asJson({ ...options, ...rendered });
}

/** How long after its `expiresAt` the remote itself ends an instance: `reconcile` comes first, and this is for when it does not. */
const OWN_END_AFTER_MS = 15 * 60_000;

/** The request with a `terminateBy`, where the provider keeps one and the caller gave an `expiresAt` alone. */
function withOwnEnd(provider: Provider, request: Request, clock: Clock): Request {
  const { expiresAt, terminateBy } = request;
  if (provider.capabilities.terminateBy !== true || terminateBy !== undefined) return request;
  const at = typeof expiresAt === "string" ? Date.parse(expiresAt) + OWN_END_AFTER_MS : Number.NaN;
  return at > clock.now() ? { ...request, terminateBy: new Date(at).toISOString() } : request;
}

function placementOf(provider: Provider): (placement: BaseSpawnOptions) => Request {
  return (placement) => {
    const { key, signal, timeoutMs } = placement;
    if (key === undefined && signal === undefined && timeoutMs === undefined) return asRequest(provider, placement);
    throw invalid(provider, "a placement cannot change key, signal or timeoutMs");
  };
}

function asJson(value: object): Request {
  // Of an object of options, JSON.parse gives an object of JSON values.
  return JSON.parse(JSON.stringify(value)) as Request;
}

function either(a: AbortSignal | undefined, b: AbortSignal | undefined): AbortSignal | undefined {
  return a === undefined || b === undefined ? (a ?? b) : AbortSignal.any([a, b]);
}

function invalid(provider: Provider, message: string): ProviderError<"INVALID_SPEC"> {
  return new ProviderError("INVALID_SPEC", { message, provider: provider.name, operation: "launch", effect: "none" });
}

function needsStore(provider: Provider): ProviderError<"UNSUPPORTED"> {
  const why = provider.whyNot.idempotentSpawn;
  return new ProviderError("UNSUPPORTED", {
    message: `launch on ${provider.name} needs a store: its spawn is not idempotent${why === undefined ? "" : `: ${why}`}`,
    provider: provider.name,
    operation: "launch",
    effect: "none",
    hint: "Pass { store: fileStore(directory) }.",
  });
}
