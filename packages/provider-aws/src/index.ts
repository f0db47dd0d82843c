export type { AWSOffering } from "./capabilities/prices.ts";
export {
  type AWSSnapshot,
  type AWSSnapshotDisk,
  materializeSnapshot,
} from "./capabilities/snapshot-image.ts";
export { type AwsErrorRow, awsErrorTable, codeOfReason, codeOfSpotStatus } from "./errors.ts";
export { type AWSAttachedVolume, type AWSInstance, materialize } from "./instance.ts";
export { type AwsConfig, type AwsCredentials, type AwsOptions, configSchema } from "./options.ts";
export type { PlacementOptions } from "./placements.ts";
export { type AwsProvider, aws } from "./provider.ts";
export { type AwsRegistration, type AwsWorkflows, register } from "./register.ts";
export type { AWSSpawnOptions, AwsCapability } from "./request.ts";
export type { MultiAzInput, MultiAzOutput } from "./workflows/multi-az.ts";
export type { SpotFleetInput, SpotFleetMember, SpotFleetOutput } from "./workflows/spot-fleet.ts";
export type { WarmVolumesInput, WarmVolumesOutput } from "./workflows/warm-volumes.ts";
