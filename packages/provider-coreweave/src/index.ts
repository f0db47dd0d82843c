export { CATALOGUE } from "./catalogue.ts";
export { type CoreweaveConfig, type CoreweaveOptions, configSchema } from "./options.ts";
export { COREWEAVE_PROFILE, GRACEFULLY_INTERRUPTIBLE, INTERRUPTIBLE } from "./profile.ts";
export { type CoreweaveProvider, coreweave } from "./provider.ts";
export { type CoreweaveRegistration, register } from "./register.ts";
