import type { KubernetesSpawnOptions } from "../src/index.ts";

export const OWNER = "soak";

/** The same request from every process that asks for the key. A pod that is not real has a scheduler that does not exist. */
export function soakRequest(key: string, { real, terminateBy }: SoakRequest = {}): KubernetesSpawnOptions {
  return {
    key,
    image: "registry.test/machine:1",
    resources: { cpus: 0.01, memoryBytes: 32 * 1024 ** 2 },
    bootstrap: { script: "echo hello" },
    pod: { terminationGracePeriodSeconds: 1, ...(real === false ? { schedulerName: "nobody" } : {}) },
    ...(terminateBy === undefined ? {} : { terminateBy }),
  };
}

export interface SoakRequest {
  /** Whether a node runs it; true if absent. */
  readonly real?: boolean | undefined;
  readonly terminateBy?: string | undefined;
}

/** What a process of the soak is told. */
export interface SpawnOrder extends SoakRequest {
  readonly kubeconfig: string;
  readonly key: string;
  /** It kills itself with SIGKILL at this request, counted from 1. */
  readonly death?: { readonly at: number; readonly when: "before" | "during" | "after" } | undefined;
}
