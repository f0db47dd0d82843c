export { type BucketLimit, type LimitsOptions, limits, type Share } from "./limits.ts";
