import type { KubernetesConfig } from "../../src/index.ts";

/**
 * What every pod of the tests has: many of them fit on one small node. A signal that comes before a shell has its trap
 * is lost, and then the grace is waited for.
 */
export const SMALL_PODS: Required<Pick<KubernetesConfig, "resources" | "pod">> = {
  resources: { cpus: 0.02, memoryBytes: 32 * 1024 ** 2 },
  pod: { terminationGracePeriodSeconds: 2 },
};
