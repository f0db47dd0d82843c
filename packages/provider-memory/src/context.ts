import { type Clock, isKey, ProviderError, timestamp } from "@slipway/core";
import type { Call, MemoryClient } from "./client.ts";
import { type IdKind, inRegions } from "./ids.ts";
import { type MemoryInstance, materialize } from "./instance.ts";
import { account, type WireMachine } from "./wire.ts";

export const PROVIDER = "memory";

/** What the files of one provider object share. */
export interface MemoryContext {
  readonly owner: string;
  /** The first is where a spawn without a region goes. */
  readonly regions: readonly [string, ...string[]];
  readonly maxUserDataBytes: number;
  readonly clock: Clock;
  readonly client: MemoryClient;
}

export function instanceFrom(context: MemoryContext, machine: WireMachine): MemoryInstance {
  return materialize(machine, PROVIDER, timestamp(context.clock));
}

export function refusal(operation: string, code: "INVALID_SPEC" | "NOT_FOUND", message: string): ProviderError {
  return new ProviderError(code, { message, provider: PROVIDER, operation, effect: "none" });
}

/** As `inRegions`, for calls that cannot go on without the thing. */
export async function inRegionsOrThrow<T>(
  context: MemoryContext,
  call: Call,
  id: string,
  kind: IdKind,
  look: (region: string, nativeId: string) => Promise<T>,
): Promise<T> {
  const found = await inRegions(id, kind, context.regions, look);
  if (found === null) throw refusal(call.operation, "NOT_FOUND", `there is no ${JSON.stringify(id)}`);
  return found;
}

/** The region if this provider looks there. */
export function configuredRegion(context: MemoryContext, operation: string, region: string | undefined): string {
  if (region === undefined) return context.regions[0];
  if (context.regions.includes(region)) return region;
  const known = context.regions.join(", ");
  throw refusal(operation, "INVALID_SPEC", `region ${JSON.stringify(region)} is not configured: ${known} are`);
}

/** The configured region that has the zone. */
export async function regionOfZone(context: MemoryContext, call: Call, zone: string): Promise<string> {
  const [first] = context.regions;
  const { regions } = await context.client.send(call, "account.read", first, {}, account, { helper: true });
  const found = regions.find(({ id, zones }) => context.regions.includes(id) && zones.includes(zone));
  if (found === undefined) {
    throw refusal(call.operation, "INVALID_SPEC", `zone ${JSON.stringify(zone)} is in no configured region`);
  }
  return found.id;
}

/** Refuses what a caller without types may have given. */
export function checkedKey(operation: string, key: unknown): string {
  if (!isKey(key)) throw refusal(operation, "INVALID_SPEC", "key must be 1 to 128 printable ASCII characters");
  return key;
}

export function checkedBytes(operation: string, bytes: unknown): number {
  if (typeof bytes === "number" && Number.isSafeInteger(bytes) && bytes > 0) return bytes;
  throw refusal(operation, "INVALID_SPEC", "sizeBytes must be a whole number above 0");
}

export function checkedText(operation: string, name: string, value: unknown): string {
  if (typeof value === "string" && value !== "") return value;
  throw refusal(operation, "INVALID_SPEC", `${name} must be a text that is not empty`);
}

/** The owner whose things a listing is about: null for everybody's. */
export function ownerFilter(context: MemoryContext, owner: string | undefined): string | null {
  return owner === "*" ? null : (owner ?? context.owner);
}

/** A listing's filter with these fields: texts, or lists of texts. What nobody reads must not be given. */
export function checkedFilter<T extends object>(
  operation: string,
  filter: T | undefined,
  fields: { readonly [K in keyof Required<T>]: "text" | "texts" },
): Partial<T> {
  if (filter === undefined) return {};
  if (typeof filter !== "object" || filter === null || Array.isArray(filter)) {
    throw refusal(operation, "INVALID_SPEC", "the filter must be an object");
  }
  for (const [name, value] of Object.entries(filter)) {
    const kind: string | undefined = Object.hasOwn(fields, name) ? Reflect.get(fields, name) : undefined;
    if (kind === undefined) throw refusal(operation, "INVALID_SPEC", `unknown filter ${JSON.stringify(name)}`);
    if (value === undefined) continue;
    const fits = kind === "text" ? isText(value) : Array.isArray(value) && value.every(isText);
    if (!fits)
      throw refusal(operation, "INVALID_SPEC", `${name} must be a ${kind === "text" ? "text" : "list of texts"}`);
  }
  return filter;
}

function isText(value: unknown): value is string {
  return typeof value === "string" && value !== "";
}
