/** Asks for accelerators. */
export interface GpuOptions {
  /** The provider's name of the accelerator, for example `a10`; any that it has if absent. */
  readonly type?: string | undefined;
  /** How many, at least 1. */
  readonly count: number;
}
