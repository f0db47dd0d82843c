export { bootstrapConfigSchema, bootstrapSchema, bootstrapScriptSchema } from "./bootstrap.ts";
export { clusterConfigSchema, clusterNodeSchema, clusterSchema } from "./cluster.ts";
export { providerErrorSchema } from "./error.ts";
export { runtimeEventSchema } from "./event.ts";
export {
  heartbeatAnswerSchema,
  heartbeatRequestSchema,
  receiptSchema,
  type SerializedHeartbeatAnswer,
  type SerializedReceipt,
} from "./heartbeat.ts";
export { instanceSchema, priceSchema } from "./instance.ts";
export {
  type BuiltinListFilter,
  type BuiltinSpawnOptions,
  listFilterSchema,
  spawnOptionsSchema,
} from "./request.ts";
export {
  costQuerySchema,
  costSchema,
  regionSchema,
  snapshotSchema,
  spotPriceSchema,
  spotRequestSchema,
  volumeSchema,
} from "./resources.ts";
