export type { ProgramAnswer } from "@slipway/provider-kit/command";
export type { ContainerControl, SeenContainer } from "./control.ts";
export {
  type ContainerCallOptions,
  type ContainerEmulator,
  type ContainerEmulatorSettings,
  containerEmulator,
} from "./emulator.ts";
export { type ServeOptions, serve } from "./serve.ts";
export type { CommandFault, Delays, EmulatedVersion, ServiceState, StepBehaviour } from "./state.ts";
