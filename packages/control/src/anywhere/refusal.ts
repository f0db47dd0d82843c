import { type ErrorCode, ProviderError, type SerializedProviderError } from "@slipway/core";
import type { Place, Unfit } from "./places.ts";

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
