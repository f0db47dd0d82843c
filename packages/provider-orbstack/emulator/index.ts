export type { ProgramAnswer } from "@slipway/provider-kit/command";
export { canPlace } from "./contract-faults.ts";
export type { OrbstackControl, SeenMachine } from "./control.ts";
export {
  type OrbctlCallOptions,
  type OrbstackEmulator,
  type OrbstackEmulatorSettings,
  orbstackEmulator,
} from "./emulator.ts";
export { type OrbctlFixture, orbctlFixtures } from "./fixtures.ts";
export { type OrbctlOptions, orbctl } from "./orbctl.ts";
export { type ServeOptions, serve } from "./serve.ts";
export {
  type CommandFault,
  type EngineSettings,
  type EngineState,
  initialState,
  type Latencies,
  type MachinePhase,
  type OrbState,
} from "./state.ts";
