import type { BaseSpawnOptions } from "@slipway/core";

/** The same request from every process that asks for the key. Its bootstrap takes about as long as the spawn. */
export function soakRequest(key: string): BaseSpawnOptions {
  return { key, labels: { soak: "yes" }, bootstrap: { script: "echo begun\nsleep 0.03\necho done\n" } };
}
