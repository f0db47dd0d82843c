import type { ClusterConfig, ClusterProvider } from "@slipway/core";
import { scaledClock } from "@slipway/provider-kit/emulator";
import { type ContainerEmulator, containerEmulator } from "../emulator/index.ts";
import { register } from "../src/index.ts";

/** A day of boots and pulls in some seconds. */
const SPEED = 200;
const ORIGIN = Date.parse("2026-01-01T00:00:00Z");

export interface SoakCluster {
  readonly emulator: ContainerEmulator;
  readonly cluster: ClusterProvider;
  readonly config: ClusterConfig;
}

/** The same command for every process that plays with one Mac. */
export async function soakCluster(directory: string, owner: string, kubeconfigPath: string): Promise<SoakCluster> {
  const clock = scaledClock(SPEED, { origin: ORIGIN });
  const emulator = containerEmulator({ directory, clock });
  const { cluster } = await register({}, { owner, variables: {}, runtime: { exec: emulator.exec, clock } });
  return { emulator, cluster, config: { name: "soak", kubeconfigPath } };
}
