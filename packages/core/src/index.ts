export { accepts, assertAccepts } from "./accepts.ts";
export type {
  BootstrapConfig,
  BootstrapFeature,
  BootstrapFile,
  BootstrapReport,
  BootstrapScript,
} from "./bootstrap.ts";
export {
  type Aspect,
  type BuiltinCapability,
  type Capability,
  type CapabilityFlags,
  type CapabilityMap,
  type CapabilityMethodName,
  type CapabilityMethods,
  type CapabilityNames,
  type CapabilityOptions,
  type CapabilityPart,
  type FurtherCapability,
  type LackedMethods,
  type Lacks,
  type Named,
  type ProviderTypes,
} from "./capability.ts";
export {
  BUILTIN_CAPABILITIES,
  type CapabilityRow,
  type CapabilityRows,
  capabilityTable,
  type OperationRow,
  type OperationRows,
  type RequestOf,
  type ResultKind,
} from "./capability-table.ts";
export type { CleanupItem, CleanupMethods } from "./cleanup.ts";
export { type Clock, type Deadline, deadline, systemClock, timestamp } from "./clock.ts";
export type {
  Cluster,
  ClusterConfig,
  ClusterExecOptions,
  ClusterExecResult,
  ClusterNode,
  ClusterNodeRef,
  ClusterProvider,
  ClusterRef,
  ClusterStep,
  PortMapping,
  ProvisionOptions,
} from "./cluster.ts";
export type { Cost, CostMethods, CostQuery } from "./cost.ts";
export {
  type CapabilityCase,
  type CapabilityCaseContext,
  type CapabilityDefinition,
  capabilityDefinitionsOf,
  defineCapability,
  type WrittenCapability,
} from "./define-capability.ts";
export {
  type DeclaredFlags,
  type DefineOptions,
  defineCleanup,
  defineProvider,
  type ProviderDefinition,
} from "./define-provider.ts";
export { checksumOf, sha256 } from "./digest.ts";
export { abortError } from "./errors/abort.ts";
export {
  ERROR_CODES,
  ERROR_SCOPES,
  type ErrorCategory,
  type ErrorCode,
  type ErrorCodes,
  type ErrorEffect,
  type ErrorScope,
} from "./errors/codes.ts";
export {
  type AnyProviderError,
  isProviderError,
  mayRepeat,
  type NativeError,
  type Operation,
  ProviderError,
  type ProviderErrorDetails,
  type SerializedProviderError,
} from "./errors/provider-error.ts";
export type { RuntimeEvent } from "./events.ts";
export {
  type BootstrapMethods,
  type BootstrapTruth,
  canExec,
  canListOfferings,
  canLog,
  canOpenTerminal,
  canPlace,
  canReadBootstrap,
  type ExecMethods,
  type ExecOptions,
  type ExecResult,
  type LogMethods,
  type LogOptions,
  type Offering,
  type OfferingMethods,
  type PlacementMethods,
  type TerminalCommand,
  type TerminalMethods,
} from "./extras.ts";
export type { GpuOptions } from "./gpu.ts";
export type { HibernationMethods } from "./hibernation.ts";
export {
  HEARTBEAT_TASKS,
  type HeartbeatAnswer,
  type HeartbeatRequest,
  type HeartbeatTask,
  type ProviderHooks,
  type Receipt,
} from "./hooks.ts";
export {
  type BootstrapState,
  INSTANCE_STATUSES,
  type Instance,
  type InstanceAddresses,
  type InstanceResources,
  type InstanceStatus,
  type SshEndpoint,
} from "./instance.ts";
export { isKey, isOwner, nameFor, namePrefixFor } from "./key.ts";
export { type AddingLayer, type Layer, type LayerCall, layer, restrict } from "./layer.ts";
export type { ProviderLimits } from "./limits.ts";
export type { NetworkOptions } from "./network.ts";
export { type MakingOperation, type OperationName, operationTable, type RequestOperation } from "./operations.ts";
export type {
  BaseListFilter,
  BaseSpawnOptions,
  CallOptions,
  Port,
  RefusableOption,
  ResourceOptions,
} from "./options.ts";
export type { Price } from "./price.ts";
export { type Projected, projectInstance, projectProvider, projectSnapshot } from "./project.ts";
export {
  type CapabilitiesOf,
  CONTRACT_VERSION,
  type CoreMethods,
  type Extra,
  type InstanceOf,
  type ListFilter,
  type Provider,
  type ProviderDescription,
  type ProviderTier,
  type SnapshotOf,
  type SpawnOptions,
  type SpawnOptionsOf,
  type Supporting,
  type WhyNot,
  type WithExtras,
  type Without,
} from "./provider.ts";
export type { Region, RegionMethods } from "./region.ts";
export type {
  AnyWorkflowContract,
  ProviderRegistration,
  Register,
  RegisterEnvironment,
  Workflows,
} from "./registration.ts";
export { type HookReceipt, ProviderRegistry, type Registrations } from "./registry.ts";
export {
  type CommandOptions,
  type CommandResult,
  type Exec,
  guardedListener,
  type Logger,
  type Pacing,
  type RemoteDate,
  type Runtime,
  reportRemoteDate,
  runtimeDefaults,
  silentLog,
} from "./runtime.ts";
export type { AnswerKind, Fields, FieldsOf, OneOf, RequestKind, RequestShapeOf, Shape } from "./shape.ts";
export type { CreateSnapshotOptions, Snapshot, SnapshotFilter, SnapshotMethods, SnapshotStatus } from "./snapshot.ts";
export { canonicalJson, specHash } from "./spec-hash.ts";
export type { SpotMethods, SpotOptions, SpotPrice, SpotPriceFilter, SpotRequest } from "./spot.ts";
export type { Schema, SchemaResult } from "./standard-schema.ts";
export { assertSupports, type Guarded, supports, type Unproven } from "./supports.ts";
export type { TailscaleOptions } from "./tailscale.ts";
export type { TerminateBy, TerminateByOptions } from "./terminate-by.ts";
export type { CreateVolumeOptions, Volume, VolumeFilter, VolumeMethods, VolumeMount } from "./volume.ts";
export type { ClaimWarmVolumeOptions, WarmVolumeMethods, WarmVolumeOptions } from "./warm-volume.ts";
export {
  type IsJson,
  type Step,
  type StepContext,
  type StepOptions,
  type StepRetry,
  type Storable,
  type UndoContext,
  type Workflow,
  type WorkflowContext,
  type WorkflowContract,
  type WorkflowInput,
  type WorkflowOutput,
  workflow,
} from "./workflow.ts";
