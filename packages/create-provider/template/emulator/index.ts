export type { Cloud, CloudSettings, Machine } from "./cloud.ts";
export type { __Name__EmulatorControl } from "./control.ts";
export { __name__Emulator, type __Name__Emulator } from "./emulator.ts";
// #if http
export { serve } from "./serve.ts";
// #end
