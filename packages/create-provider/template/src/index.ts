export { type __Name__ErrorRow, __name__ErrorTable } from "./errors.ts";
export type { __Name__Instance } from "./instance.ts";
export { configSchema, type __Name__Config, type __Name__Options } from "./options.ts";
export { __name__, type __Name__Capability, type __Name__Provider } from "./provider.ts";
export { register } from "./register.ts";
