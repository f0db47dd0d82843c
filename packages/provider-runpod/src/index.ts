export { type RunpodErrorRow, runpodErrorTable } from "./errors.ts";
export type { RunpodInstance } from "./instance.ts";
export type { RunpodOffering } from "./offerings.ts";
export { configSchema, type RunpodConfig, type RunpodOptions } from "./options.ts";
export { type RunpodProvider, runpod } from "./provider.ts";
export { type RunpodRegistration, register } from "./register.ts";
export type { RunpodCapability, RunpodSpawnOptions } from "./request.ts";
export { type Probe, type ProbeTarget, tcpProbe } from "./tcp-probe.ts";
export type { Cloud } from "./wire.ts";
