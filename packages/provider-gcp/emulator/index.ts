export type { EmulatedInstance, EmulatedRequest, GcpEmulatorControl } from "./control.ts";
export { type GcpEmulator, gcpEmulator } from "./emulator.ts";
export { type GcpEmulatorServer, type ServeOptions, serve } from "./serve.ts";
export { EMULATOR_PROJECT, EMULATOR_TOKEN, type GcpEmulatorSettings } from "./settings.ts";
