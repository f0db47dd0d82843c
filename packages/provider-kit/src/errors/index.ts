export { type Refusal, type RefusalDetails, refusals, withEffect } from "./refusal.ts";
