export { type Refusal, type RefusalDetails, refusals } from "./refusal.ts";
export { withEffect } from "./with-effect.ts";
