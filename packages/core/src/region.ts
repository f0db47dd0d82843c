import type { CallOptions } from "./options.ts";

export interface Region {
  readonly id: string;
  readonly name: string;
}

/** Unlocked by `multiRegion`. */
export interface RegionMethods {
  /** The regions that this provider was configured with: `spawn` takes no other, and `list` covers them all. */
  readonly listRegions: (call?: CallOptions) => Promise<readonly Region[]>;
}
