export { type RunpodEmulator, runpodEmulator, type SeenRequest } from "./emulator.ts";
export { canSay } from "./problem.ts";
export { type RunpodEmulatorServer, type ServeOptions, serve } from "./serve.ts";
export type {
  EmulatedCpu,
  EmulatedDataCenter,
  EmulatedGpu,
  EmulatedRates,
  EmulatedStock,
  RunpodEmulatorSettings,
} from "./settings.ts";
export type { ClosedPool, EmulatedPod, EmulatedVolume } from "./world.ts";
