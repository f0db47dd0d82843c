export { type SlurmErrorRow, slurmErrorTable } from "./errors.ts";
export type { SlurmInstance } from "./instance.ts";
export { configSchema, type SlurmConfig, type SlurmOptions } from "./options.ts";
export { type SlurmProvider, slurm } from "./provider.ts";
export { register, type SlurmRegistration } from "./register.ts";
export type { SlurmSpawnOptions } from "./request.ts";
export { slurmReasons, slurmStates } from "./states.ts";
