import { type Instance, type Provider, ProviderError, type SpawnOptions } from "@slipway/core";
import type { Budget } from "../budget/claim.ts";
import type { Poll } from "../poll.ts";
import { sightOf } from "../regions.ts";
import type { ExpectedInstance, JsonValue, LaunchIdentity, LaunchRecord } from "../store/record.ts";
import type { LaunchStore, Lease } from "../store/store.ts";
import { StoreError } from "../store/store-error.ts";
import type { LaunchFailpoint } from "./options.ts";

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
