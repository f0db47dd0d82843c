export type { MemorySnapshot } from "./capabilities/snapshots.ts";
export type { MemoryOptions } from "./client.ts";
export { type MemoryNode, memoryCluster } from "./cluster.ts";
export { type MemoryErrorRow, memoryErrorTable } from "./errors.ts";
export type { MemoryInstance } from "./instance.ts";
export { type MemoryProvider, memory } from "./provider.ts";
export { configSchema, type MemoryConfig, type MemoryRegistration, register } from "./register.ts";
export type {
  BootstrapOutcome,
  BootstrapRun,
  CapacityRule,
  MemoryQuotas,
  MemoryRegion,
  MemorySpec,
  MemoryThrottle,
  MemoryWorldSettings,
  NodeRun,
  NodeRunResult,
} from "./world/settings.ts";
export {
  type MemoryWorld,
  memoryWorld,
  type WorldInstance,
  type WorldSnapshot,
  type WorldVolume,
} from "./world/world.ts";
