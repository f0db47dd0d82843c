import type { BaseSpawnOptions } from "@slipway/core";

/** The same request from every process that asks for the key. The job writes its number down: that is what ran. */
export function soakRequest(key: string, ranFile: string, variant: string): BaseSpawnOptions {
  return { key, labels: { variant }, bootstrap: { script: `echo "$SLURM_JOB_ID" >>${ranFile}` } };
}
