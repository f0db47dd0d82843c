import {
  type Clock,
  ERROR_CODES,
  type ErrorCode,
  type ErrorScope,
  isProviderError,
  type RuntimeEvent,
  timestamp,
} from "@slipway/core";
import { PROVIDER } from "./call.ts";

export type CapacityType = "on-demand" | "spot";

/** A machine type in a place, bought in one way. */
export interface PlacedOffering {
  readonly capacityType: CapacityType;
  readonly type: string;
  readonly region: string;
  /** Absent where EC2 chose the zone itself. */
  readonly zone?: string | undefined;
  readonly subnet?: string | undefined;
}

/** How far a refusal reaches: the offering itself, every machine in the subnet, or every one bought in that way. */
export type Reach = "offering" | "subnet" | "capacity-type";

/** How far a refusal of a launch reaches, and what it is about; null where it says nothing of places. */
export function reachOf(
  { code, scope }: { readonly code: ErrorCode; readonly scope?: ErrorScope | undefined },
  offering: PlacedOffering,
): readonly [offering: PlacedOffering, reach: Reach] | null {
  if (scope === "subnet" || scope === "capacity-type") return [offering, scope];
  // A quota of the region refuses the machine type in each of its zones.
  if (scope === "region") return code === "QUOTA_EXCEEDED" ? [{ ...offering, zone: undefined }, "offering"] : null;
  return (scope ?? ERROR_CODES[code].scope) === "placement" ? [offering, "offering"] : null;
}

/**
 * Where EC2 had no capacity just now. It only orders places and is forgotten soon: capacity comes back, and only a
 * launch can find that out.
 */
export interface UnavailableOfferings {
  readonly note: (offering: PlacedOffering, reach: Reach, ms?: number) => void;
  /** Until when it is known to be without capacity, milliseconds since the epoch; 0 if nothing is known. */
  readonly until: (offering: PlacedOffering) => number;
}

const KEPT_MS = 180_000;

export function unavailableOfferings(clock: Clock, onEvent: (event: RuntimeEvent) => void): UnavailableOfferings {
  const known = new Map<string, number>();
  const sweep = (): void => {
    for (const [name, until] of known) if (until <= clock.now()) known.delete(name);
  };
  return {
    note: (offering, reach, ms = KEPT_MS) => {
      sweep();
      const name = nameOf(offering, reach);
      if (name === undefined) return;
      const untilMs = clock.now() + ms;
      known.set(name, untilMs);
      onEvent({ type: "offering.unavailable", at: timestamp(clock), provider: PROVIDER, offering: name, untilMs });
    },
    until: (offering) => {
      sweep();
      const names = [
        nameOf(offering, "offering"),
        // EC2 looked in every zone itself.
        nameOf({ ...offering, zone: undefined }, "offering"),
        nameOf(offering, "subnet"),
        nameOf(offering, "capacity-type"),
      ];
      return Math.max(0, ...names.map((name) => known.get(name ?? "") ?? 0));
    },
  };
}

function nameOf({ capacityType, type, region, zone, subnet }: PlacedOffering, reach: Reach): string | undefined {
  if (reach === "capacity-type") return `${capacityType}:*:${region}`;
  if (reach === "subnet") return subnet === undefined ? undefined : `*:*:${subnet}`;
  return `${capacityType}:${type}:${zone ?? region}`;
}

/** Is the failure about the place, and is it known that nothing was made there? Only then another place may be tried. */
export function mayGoElsewhere(error: unknown): boolean {
  return isProviderError(error) && error.effect === "none" && isOfPlace(error);
}

/** May the next of several places, in other regions too, be tried? */
export function mayTryNextPlace(error: unknown): boolean {
  return isProviderError(error) && error.effect === "none" && (error.scope === "region" || isOfPlace(error));
}

/** Is a refusal about the place, or about the way of buying? */
export function isOfPlace({
  code,
  scope = ERROR_CODES[code].scope,
}: {
  readonly code: ErrorCode;
  readonly scope?: ErrorScope | undefined;
}): boolean {
  return scope === "placement" || scope === "subnet" || scope === "capacity-type";
}
