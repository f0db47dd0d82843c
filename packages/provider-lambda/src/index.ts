export { type LambdaErrorRow, lambdaErrorTable } from "./errors.ts";
export type { LambdaInstance } from "./instance.ts";
export type { LambdaOffering } from "./offerings.ts";
export { configSchema, type LambdaConfig, type LambdaOptions } from "./options.ts";
export { type LambdaProvider, lambda, type PlacementOptions } from "./provider.ts";
export { type LambdaRegistration, register } from "./register.ts";
