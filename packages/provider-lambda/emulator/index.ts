export { EMULATED_IMAGES, EMULATED_REGIONS, EMULATED_TYPES } from "./catalogue.ts";
export type { EmulatedInstance, LambdaEmulatorControl } from "./control.ts";
export { type LambdaEmulator, lambdaEmulator } from "./emulator.ts";
export { type LambdaEmulatorServer, type ServeOptions, serve } from "./serve.ts";
export { EMULATOR_API_KEY, type LambdaEmulatorSettings } from "./settings.ts";
