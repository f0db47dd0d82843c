/** Asks for accelerators. */
export interface GpuOptions {
  /** The accelerator, for example `a10`, by any name that `gpuFit` knows for it; any that the provider has if absent. */
  readonly type?: string | undefined;
  /** How many, at least 1. */
  readonly count: number;
}
