export { type EmulatedHost, emulatedHost, runAsProgram, statePath } from "./emulated-host.ts";
export type { EmulatorProgram, EmulatorServer } from "./emulator-server.ts";
export { type Fault, type FaultScript, type FaultTiming, faultScript, type PlacedFault } from "./faults.ts";
export { freePort, freePorts } from "./free-ports.ts";
export {
  answerWithFault,
  type HttpAnswer,
  type HttpBreak,
  type HttpEmulator,
  type HttpEmulatorOptions,
  HttpRefusal,
  htmlPage,
  httpEmulator,
} from "./http-emulator.ts";
export {
  type EmulatedMachine,
  type Machines,
  type MachinesKind,
  type OpenMachines,
  openMachines,
  type ServedParts,
  type ServeOptionsBase,
  serveEmulator,
  withMachines,
} from "./machines.ts";
export { type NodeHttpAdapterOptions, type NodeHttpServer, nodeHttpAdapter } from "./node-http-adapter.ts";
export { type ProgramFile, writeProgram } from "./program-file.ts";
export { type SeededRandom, seededRandom } from "./random.ts";
export { machinesMissing, type SandboxMachinesKind } from "./sandbox-machines.ts";
export { type ScaledClockOptions, scaledClock } from "./scaled-clock.ts";
export { type SimulatedClock, type SimulatedClockOptions, simulatedClock } from "./simulated-clock.ts";
export { type DiskStateOptions, diskStateStore, memoryStateStore, type StateStore } from "./state-store.ts";
