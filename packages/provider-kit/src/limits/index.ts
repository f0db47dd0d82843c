export { type BatchedCalls, type Batching, batchedCalls } from "./batched-calls.ts";
export { type KeyedMutex, keyedMutex } from "./keyed-mutex.ts";
export { type BucketLimit, type LimitsOptions, limits, type Share } from "./limits.ts";
export { type ReadAfterWriteCache, readAfterWriteCache } from "./read-after-write-cache.ts";
