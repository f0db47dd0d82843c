import type { CallOptions } from "./options.ts";
import { type Price, priceShape } from "./price.ts";
import type { AnswerOf } from "./shape.ts";

/** Asks for interruptible capacity. */
export interface SpotOptions {
  /** The most to pay; the remote's own ceiling if absent. */
  readonly maxUsdPerHour?: number | undefined;
}

export interface SpotRequest {
  readonly requestId: string;
  readonly status: "open" | "fulfilled" | "failed";
  /** Set once it is fulfilled: an instance as every other, to be terminated as every other. */
  readonly instanceId: string | null;
}

export interface SpotPrice extends Price {
  readonly spec: string;
  readonly region: string;
  readonly zone?: string;
}

export interface SpotPriceFilter {
  readonly specs?: readonly string[] | undefined;
  readonly regions?: readonly string[] | undefined;
}

/** Unlocked by `spot`. */
export interface SpotMethods<TSpawn> {
  /** Places a request that may be filled later; the same key answers the same request. The caller polls `list({ keys })` or cancels. */
  readonly requestSpotInstance: (options: TSpawn) => Promise<SpotRequest>;
  /** Idempotent. Ends the request and also an instance that the request made. */
  readonly cancelSpotRequest: (requestId: string, call?: CallOptions) => Promise<void>;
  readonly getSpotPrices: (filter?: SpotPriceFilter, call?: CallOptions) => Promise<readonly SpotPrice[]>;
}

export const spotRequestShape: AnswerOf<SpotRequest> = {
  requestId: "id",
  status: { oneOf: { open: true, fulfilled: true, failed: true } },
  instanceId: "text or null",
};
export const spotPriceShape: AnswerOf<SpotPrice> = { ...priceShape, spec: "text", region: "text", "zone?": "text" };
