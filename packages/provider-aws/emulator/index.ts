export {
  EMULATED_IMAGES,
  EMULATED_REGIONS,
  EMULATED_TYPES,
  type EmulatedImage,
  type EmulatedType,
} from "./catalogue.ts";
export type { Ec2EmulatorControl, SeenRequest } from "./control.ts";
export { type Ec2Emulator, ec2Emulator } from "./emulator.ts";
export type { EmulatedInstance } from "./inspector.ts";
export { type Ec2EmulatorServer, type ServeOptions, serve } from "./serve.ts";
export { type Ec2EmulatorSettings, EMULATOR_CREDENTIALS, type EmulatorCredentials } from "./settings.ts";
export type { CostEntry } from "./world.ts";
