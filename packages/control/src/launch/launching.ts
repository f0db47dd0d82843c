import {
  type BootstrapConfig,
  type BootstrapScript,
  type CapabilitiesOf,
  type Instance,
  type Provider,
  ProviderError,
  type Snapshot,
  type SpawnOptions,
  type SpawnOptionsOf,
} from "@slipway/core";
import type { Budget } from "../budget/claim.ts";
import type { Poll, WaitOptions } from "../poll.ts";
import { sightOf } from "../regions.ts";
import type { BootstrapReports } from "../reports/bootstrap-reports.ts";
import type { ExpectedInstance, JsonValue, LaunchIdentity, LaunchRecord } from "../store/record.ts";
import type { LaunchStore, Lease } from "../store/store.ts";
import { StoreError } from "../store/store-error.ts";

export type Request = { readonly [option: string]: JsonValue };

/** One call of `launch` that holds the lease of its key. */
export interface Launching {
  /** Projected: what a provider adds to the contract plays no part here. */
  readonly provider: Provider;
  readonly store: LaunchStore;
  readonly identity: LaunchIdentity;
  readonly recordId: string;
  /** The lease under which it works now. */
  readonly lease: () => Lease;
  /** Takes the lease again after it was lost; false if another process has it for so long. */
  readonly regain: (withinMs: number) => Promise<boolean>;
  /** The request without a placement: what the key stands for. */
  readonly request: Request;
  readonly specHash: string;
  /** The bootstrap that reports under this name; undefined where none reports through the caller's `reports`. */
  readonly bootstrapOf: ((launch: string) => Promise<JsonValue>) | undefined;
  /** At least one; the empty object where the caller gave none. */
  readonly placements: readonly Request[];
  readonly budget: Budget | undefined;
  readonly poll: Poll;
  /** Until when it waits for a remote that still holds the key's name. */
  readonly busyUntil: number;
  readonly failpoint: (name: LaunchFailpoint) => void | Promise<void>;
}

/** One call of `launch` before it has the lease of its key. */
export type Unleased = Omit<Launching, "lease" | "regain">;

export async function readRecord(run: Launching): Promise<LaunchRecord | null> {
  const record = await run.store.read(run.recordId);
  if (record === null || record.kind === "launch") return record;
  throw new StoreError("CORRUPT", {
    message: `the record of ${run.recordId} is not one of a launch`,
    hint: "Two programs use the same store for different things: give each its own directory.",
  });
}

/** A stored request as spawn takes it. */
export function sendable(run: Launching, request: Request): SpawnOptions {
  // It was checked against the provider's own type when `launch` was called, and stored and read as JSON since;
  // the provider checks it again at run time.
  return { ...request, signal: AbortSignal.any([run.poll.signal, run.lease().signal]) };
}

/** What `reconcile` will compare, out of what is sent. */
export function expectedOf(request: Request): ExpectedInstance {
  const { spec, region, labels, expiresAt } = request;
  return {
    ...(typeof spec === "string" ? { spec } : {}),
    ...(typeof region === "string" ? { region } : {}),
    ...(typeof expiresAt === "string" ? { expiresAt } : {}),
    // Labels are texts: the request's check saw to it, or the provider refuses the request.
    ...(isRecord(labels) ? { labels: labels as Readonly<Record<string, string>> } : {}),
  };
}

function isRecord(value: JsonValue | undefined): value is { readonly [name: string]: JsonValue } {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Another spec stands under this key. */
export function specConflict(run: Launching, instance: Instance): ProviderError<"CONFLICT"> {
  return new ProviderError("CONFLICT", {
    message: `${instance.id} was launched under the key ${JSON.stringify(run.identity.key)} with other options`,
    provider: run.provider.name,
    operation: "launch",
    effect: "none",
    native: { id: instance.id },
    hint: "Use another key for another machine, or terminate this one first.",
  });
}

/** What cannot be looked for is not gone: another one under its key would be the second. */
export async function mustSee(run: Launching, record: LaunchRecord): Promise<void> {
  const { provider, identity, poll } = run;
  const reason = await sightOf(provider, { signal: poll.signal }).whyNot(record);
  if (reason === null) return;
  const id = record.instanceId;
  throw new ProviderError("CONFLICT", {
    message: `the key ${JSON.stringify(identity.key)} was launched before: ${reason}`,
    provider: provider.name,
    operation: "launch",
    effect: "none",
    ...(id === undefined ? {} : { native: { id } }),
    hint: "Configure that region, or use another key.",
  });
}

/** Another process works on this key. */
export function leaseConflict(run: Unleased): ProviderError {
  const where = run.store.whereIs?.(run.recordId);
  return new ProviderError("CONFLICT", {
    message: `another process is launching the key ${JSON.stringify(run.identity.key)} now`,
    provider: run.provider.name,
    operation: "launch",
    effect: "none",
    hint:
      "Call again when it has finished: the same key then answers the same instance." +
      (where === undefined ? "" : ` If no such process is left on any machine, delete ${where}.`),
  });
}

/** Where a launch can be made to stop, in this order: for tests that kill the process there. */
export type LaunchFailpoint = "before-intent" | "after-intent" | "after-spawn" | "after-record";

/** How `launch` works, beside what it spawns. */
export interface LaunchOptions<P extends Provider = Provider> extends Omit<WaitOptions, "timeoutMs"> {
  /** Tells two accounts of one provider apart, where one store serves both. */
  readonly account?: string | undefined;
  /**
   * Where to try, in this order: each entry replaces options of the request. The next one is tried only after a failure
   * that is known to have made nothing and is about the place (scope placement, subnet, capacity-type or region).
   */
  readonly placements?: readonly Partial<SpawnOptionsOf<P>>[] | undefined;
  /**
   * What the owner may spend in a day, over all launches in the store that name a budget. A new launch that would pass it is
   * refused with a BudgetRefusal before anything is sent; one that finds its instance costs nothing more.
   */
  readonly budget?: Budget | undefined;
  /** How long to wait for another process that launches the same key, milliseconds. 0 if absent: CONFLICT at once. */
  readonly leaseTimeoutMs?: number | undefined;
  /** Makes a token for a bootstrap with `report: true`, for this launch alone. They need the same store. */
  readonly reports?: Pick<BootstrapReports, "token"> | undefined;
  /** For tests. Called, and awaited, at each named point. */
  readonly failpoint?: ((name: LaunchFailpoint) => void | Promise<void>) | undefined;
}

export interface StoredLaunchOptions<P extends Provider = Provider> extends LaunchOptions<P> {
  readonly store: LaunchStore;
}

/** A provider whose own promise makes a store unnecessary. */
export type IdempotentProvider = Provider<Instance, Snapshot, "idempotentSpawn">;

// Conditions on P in one signature, not an overload for some providers: a compiler that finds no overload tells of the
// last one, and so of a capability that the caller never meant to need.
/** How `launch` works on P: with a store, unless the type of P has `idempotentSpawn`. */
export type ControlOf<P extends Provider> =
  "idempotentSpawn" extends CapabilitiesOf<P>
    ? (LaunchOptions<P> & { readonly store?: LaunchStore | undefined }) | undefined
    : StoredLaunchOptions<P>;

/** What `launch` takes where it is given a request alone. The sentence is what a compiler prints where P needs a store. */
export type OptionsWithoutStore<P extends Provider> =
  "idempotentSpawn" extends CapabilitiesOf<P>
    ? SpawnOptionsOf<P>
    : "this provider needs a store: launch(provider, options, { store })";

/** The bootstrap as it is sent. */
export function renderedBy(provider: Provider, bootstrap: BootstrapConfig | BootstrapScript): BootstrapScript {
  if ("content" in bootstrap) return bootstrap;
  const script = provider.generateBootstrap(bootstrap);
  const { registrationToken, report, ...lasting } = bootstrap;
  const rotates = registrationToken !== undefined || typeof report === "object";
  if (!rotates || script.stableChecksum !== undefined) return script;
  // A rotated token is not another spec.
  const stable = typeof report === "object" ? { ...lasting, report: { ...report, token: ANY_TOKEN } } : lasting;
  return { ...script, stableChecksum: provider.generateBootstrap(stable).checksum };
}

/** A bootstrap that reports, for one launch. */
interface Reporting {
  /** With a token that is no one's: for what does not depend on it. */
  readonly any: BootstrapConfig;
  /** With the token of a launch of this name, rendered and as it is stored. */
  readonly of: (launch: string) => Promise<JsonValue>;
}

// Shorter than any real one.
const ANY_TOKEN = "0";

/** What a launch with `reports` makes of a bootstrap with `report: true`; null for all others. */
export function reportingWith(
  provider: Provider,
  bootstrap: BootstrapConfig | BootstrapScript | undefined,
  identity: LaunchIdentity,
  { reports, store }: Pick<LaunchOptions, "reports"> & { readonly store?: LaunchStore | undefined },
): Reporting | null {
  if (reports === undefined || bootstrap === undefined || "content" in bootstrap || bootstrap.report !== true)
    return null;
  const { controlPlaneUrl: url } = bootstrap;
  const wrong =
    store === undefined ? "reports need the store that they were made with" : "report: true needs controlPlaneUrl";
  if (store === undefined || url === undefined) {
    throw new ProviderError("INVALID_SPEC", {
      message: wrong,
      provider: provider.name,
      operation: "launch",
      effect: "none",
    });
  }
  const withToken = (token: string): BootstrapConfig => ({ ...bootstrap, report: { url, token } });
  return {
    any: withToken(ANY_TOKEN),
    of: async (launch) => {
      const token = await reports.token(identity, launch);
      // Of an object of texts and numbers, JSON.parse gives an object of JSON values.
      return JSON.parse(JSON.stringify(renderedBy(provider, withToken(token)))) as JsonValue;
    },
  };
}
