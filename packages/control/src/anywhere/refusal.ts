import { type ErrorCode, ProviderError, type SerializedProviderError } from "@slipway/core";
import type { BudgetRefusal } from "../budget/claim.ts";
import type { Place, Unfit } from "./places.ts";
import type { SpreadMember } from "./spread-record.ts";

/** A place that was asked for the machine, and made nothing. */
export interface TriedPlace {
  readonly place: Place;
  readonly code: ErrorCode;
  readonly reason: string;
}

/** `lambda/gpu_1x_a10/us-east-1`. */
export function nameOf({ provider, spec, region }: Place): string {
  return [provider, spec, ...(region === undefined ? [] : [region])].join("/");
}

/**
 * No place made it, and nothing was made. CAPACITY_ERROR where some place would have been what is needed, now or at another
 * time; INVALID_SPEC where nobody sells it.
 */
export class AnywhereRefusal extends ProviderError<"CAPACITY_ERROR" | "INVALID_SPEC"> {
  /** Every place that was tried, in order. */
  readonly tried: readonly TriedPlace[];
  /** What was not tried, and why. */
  readonly unfit: readonly Unfit[];

  constructor(key: string, tried: readonly TriedPlace[], unfit: readonly Unfit[]) {
    const isSold = tried.length > 0 || unfit.some(({ spec }) => spec !== undefined);
    const lines = [
      ...tried.map(({ place, code, reason }) => `${nameOf(place)}: ${code}, ${reason}`),
      ...unfit.map(
        ({ provider, spec, reason }) => `${spec === undefined ? provider : `${provider}/${spec}`}: ${reason}`,
      ),
    ];
    const what = isSold ? "no place has capacity for it now" : "nobody sells what is needed";
    super(isSold ? "CAPACITY_ERROR" : "INVALID_SPEC", {
      message: `${JSON.stringify(key)} was launched nowhere, ${what}${lines.map((line) => `\n${line}`).join("")}`,
      provider: "anywhere",
      operation: "launchAnywhere",
      effect: "none",
      hint: isSold ? "Capacity comes and goes by the minute: try again, or need less." : "Need less, or pay more.",
    });
    this.tried = tried;
    this.unfit = unfit;
  }

  override toJSON(): SerializedProviderError & Pick<AnywhereRefusal, "tried" | "unfit"> {
    return { ...super.toJSON(), tried: this.tried, unfit: this.unfit };
  }
}

/** A machine of a spread that was rolled back, of which it is not confirmed that it is gone. It may cost money. */
export interface SpreadLeftover extends SpreadMember {
  readonly error: unknown;
}

/** Why a machine was launched nowhere. */
export type Refusal = AnywhereRefusal | BudgetRefusal;

interface Details {
  readonly refusals: readonly Refusal[];
  readonly leftovers: readonly SpreadLeftover[];
}

/** Fewer machines could be had than the minimum. Those that were made were terminated, but for the `leftovers`. */
export class SpreadRefusal extends ProviderError<"CAPACITY_ERROR"> {
  /** Call again with the same key and options to terminate them. */
  readonly leftovers: readonly SpreadLeftover[];
  /** Why the missing ones were launched nowhere; empty where an earlier call began the rollback. */
  readonly refusals: readonly Refusal[];

  constructor(
    key: string,
    { count, minimum }: { readonly count: number; readonly minimum: number },
    made: number,
    { refusals, leftovers }: Details,
  ) {
    const [first] = refusals;
    const rest = leftovers.map(({ provider, instanceId, error }) => {
      const why = error instanceof Error ? error.message : String(error);
      return `\n${provider}: ${instanceId} may be left: ${why}`;
    });
    const outcome = leftovers.length === 0 ? "they were terminated" : `${leftovers.length} of them may be left running`;
    super("CAPACITY_ERROR", {
      message:
        `${made} of ${count} machines of ${JSON.stringify(key)} could be had, and ${minimum} are needed: ${outcome}` +
        `${rest.join("")}${first === undefined ? "" : `\n${first.message}`}`,
      provider: "anywhere",
      operation: "spread",
      effect: leftovers.length === 0 ? "none" : "applied",
      hint:
        leftovers.length === 0
          ? "Capacity comes and goes by the minute: try again, or need fewer."
          : "Call it again with the same options: it goes on with the rollback.",
    });
    this.leftovers = leftovers;
    this.refusals = refusals;
  }

  override toJSON(): SerializedProviderError & { readonly leftovers: readonly SpreadMember[] } {
    const leftovers = this.leftovers.map(({ key, provider, instanceId }) => ({ key, provider, instanceId }));
    return { ...super.toJSON(), leftovers };
  }
}
