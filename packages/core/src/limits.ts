/** The remote's limits, as numbers. They are told apart from capabilities, which are yes or no. */
export interface ProviderLimits {
  /** The most bytes of a rendered bootstrap, after the client's own packing for the wire. */
  readonly maxUserDataBytes: number;
  /** How many labels the caller may give, Slipway's own not counted. */
  readonly maxLabels: number;
  /** The longest display name. */
  readonly nameMaxLength: number;
  /** How long after a write a read may still not show it, milliseconds. */
  readonly readAfterWriteMs: number;
}
