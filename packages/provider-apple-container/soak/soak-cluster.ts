import type { ClusterConfig, ClusterProvider } from "@slipway/core";
import { scaledClock } from "@slipway/provider-kit/emulator";
import { type ContainerEmulator, containerEmulator } from "../emulator/index.ts";
import { register } from "../src/index.ts";

/** Boots and pulls in tenths of a second, and a command's 30 s still more than a busy machine's pause between two turns. */
const SPEED = 20;
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
