import type { CapabilitiesOf, Instance, Provider, Snapshot, SpawnOptionsOf } from "@slipway/core";
import type { Budget } from "../budget/claim.ts";
import type { WaitOptions } from "../poll.ts";
import type { BootstrapReports } from "../reports/bootstrap-reports.ts";
import type { LaunchStore } from "../store/store.ts";

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
