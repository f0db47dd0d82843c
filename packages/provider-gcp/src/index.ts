export { type GcpErrorRow, gcpErrorTable } from "./errors.ts";
export type { GcpInstance } from "./instance.ts";
export type { GcpOffering } from "./offerings.ts";
export { configSchema, type GcpConfig, type GcpOptions } from "./options.ts";
export { type GcpProvider, type GcpZoneProvider, gcp } from "./provider.ts";
export { type GcpRegistration, register } from "./register.ts";
export type { GcpSpawnOptions } from "./remote.ts";
