export { bootstrapSecrets, type CarriedBootstrap, carriedBootstrap } from "./carried-bootstrap.ts";
export { lookInside } from "./look-inside.ts";
export { type BootstrapReading, readBootstrap } from "./read-bootstrap.ts";
export {
  type GivenBootstrapOptions,
  givenBootstrap,
  payloadChecksum,
  payloadOf,
  type RenderOptions,
  renderBootstrap,
} from "./render-bootstrap.ts";
export {
  askSentinel,
  BOOTSTRAP_DIRECTORY,
  BOOTSTRAP_LOG_PATH,
  BOOTSTRAP_SENTINEL_PATH,
  bootstrapPaths,
  parseSentinel,
  type SentinelCall,
  type SentinelState,
} from "./sentinel.ts";
export { MAX_BOOTSTRAP_BYTES, type RefusalContext, validateBootstrap } from "./validate-bootstrap.ts";
