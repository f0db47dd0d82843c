import type { KubernetesSpawnOptions } from "../src/index.ts";

export const OWNER = "soak";

/** The same request from every process that asks for the key. */
export function soakRequest(key: string): KubernetesSpawnOptions {
  return { key, image: "registry.test/machine:1", bootstrap: { script: "echo hello" } };
}
