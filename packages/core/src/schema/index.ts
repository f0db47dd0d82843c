export { providerErrorSchema } from "./error.ts";
export { runtimeEventSchema } from "./event.ts";
export {
  heartbeatAnswerSchema,
  heartbeatRequestSchema,
  receiptSchema,
  type SerializedHeartbeatAnswer,
  type SerializedReceipt,
} from "./heartbeat.ts";
export {
  type BuiltinListFilter,
  type BuiltinSpawnOptions,
  bootstrapConfigSchema,
  bootstrapSchema,
  bootstrapScriptSchema,
  listFilterSchema,
  spawnOptionsSchema,
} from "./request.ts";
export {
  clusterConfigSchema,
  clusterNodeSchema,
  clusterSchema,
  costQuerySchema,
  costSchema,
  instanceSchema,
  priceSchema,
  regionSchema,
  snapshotSchema,
  spotPriceSchema,
  spotRequestSchema,
  volumeSchema,
} from "./resources.ts";
