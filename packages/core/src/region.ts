import type { CallOptions } from "./options.ts";
import type { AnswerOf } from "./shape.ts";

export interface Region {
  readonly id: string;
  readonly name: string;
}

/** Unlocked by `multiRegion`. */
export interface RegionMethods {
  /** The regions that this provider was configured with: `spawn` takes no other, and `list` covers them all. */
  readonly listRegions: (call?: CallOptions) => Promise<readonly Region[]>;
}

export const regionShape: AnswerOf<Region> = { id: "id", name: "text" };
