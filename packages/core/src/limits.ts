import type { AnswerOf } from "./shape.ts";

/** The remote's limits. They are told apart from capabilities: none of them unlocks a member or an option. */
export interface ProviderLimits {
  /** The most bytes of a rendered bootstrap, after the client's own packing for the wire. */
  readonly maxUserDataBytes: number;
  /** How many labels the caller may give, Slipway's own not counted. */
  readonly maxLabels: number;
  /** The longest display name. */
  readonly nameMaxLength: number;
  /** How long after a write a read may still not show it, milliseconds. */
  readonly readAfterWriteMs: number;
  /**
   * How long after its process has ended a request may still take effect, milliseconds: at least as long as a spawn is
   * waited for, 0 where nothing outlives the process.
   */
  readonly requestLifeMs: number;
  /** How long after its `terminateBy` an instance may still run, milliseconds; absent without that capability. */
  readonly terminateLateMs?: number;
  /**
   * True: `spec` names a place of the remote, as a queue, and not a size, so `resources` may stand beside it. Absent or
   * false: they exclude each other.
   */
  readonly specTakesResources?: boolean | undefined;
}

export const limitsShape: AnswerOf<ProviderLimits> = {
  maxUserDataBytes: "above0",
  maxLabels: "atLeast0",
  nameMaxLength: "above0",
  readAfterWriteMs: "atLeast0",
  requestLifeMs: "atLeast0",
  "terminateLateMs?": "atLeast0",
  "specTakesResources?": "flag",
};
