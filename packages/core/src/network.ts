/** Places the instance in a network of the caller's. */
export interface NetworkOptions {
  /** The network's id or name. */
  readonly id?: string | undefined;
  readonly subnet?: string | undefined;
  readonly firewalls?: readonly string[] | undefined;
  /** True: no way out and no way in but through the provider. */
  readonly isolated?: boolean | undefined;
}
