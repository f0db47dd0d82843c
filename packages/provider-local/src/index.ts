export { type LocalSnapshot } from "./capabilities/snapshots.ts";
export type { LocalInstance } from "./instance.ts";
export { configSchema, type LocalConfig, type LocalNetworkOptions, type LocalOptions } from "./options.ts";
export { type LocalNetworkProvider, type LocalProvider, local } from "./provider.ts";
export { register } from "./register.ts";
