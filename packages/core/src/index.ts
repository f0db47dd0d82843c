export { accepts, assertAccepts } from "./accepts.ts";
export type {
  BootstrapConfig,
  BootstrapFeature,
  BootstrapFile,
  BootstrapReport,
  BootstrapScript,
} from "./bootstrap.ts";
export type {
  Aspect,
  BuiltinCapability,
  Capability,
  CapabilityFlags,
  CapabilityMap,
  CapabilityMethodName,
  CapabilityMethods,
  CapabilityNames,
  CapabilityOptions,
  CapabilityPart,
  FurtherCapability,
  HibernationMethods,
  LackedMethods,
  Lacks,
  Named,
  ProviderTypes,
  Region,
  RegionMethods,
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
  abortError,
  isProviderError,
  mayRepeat,
  type NativeError,
  type Operation,
  ProviderError,
  type ProviderErrorDetails,
  type SerializedProviderError,
} from "./errors/provider-error.ts";
export {
  type BootstrapMethods,
  type BootstrapTruth,
  type CleanupItem,
  type CleanupMethods,
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
export { type MakingOperation, type OperationName, operationTable, type RequestOperation } from "./operations.ts";
export type {
  BaseListFilter,
  BaseSpawnOptions,
  CallOptions,
  GpuOptions,
  NetworkOptions,
  Port,
  RefusableOption,
  ResourceOptions,
  TailscaleOptions,
  TerminateBy,
  TerminateByOptions,
} from "./options.ts";
export type { Cost, CostMethods, CostQuery, Price } from "./price.ts";
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
  type ProviderLimits,
  type ProviderTier,
  type SnapshotOf,
  type SpawnOptions,
  type SpawnOptionsOf,
  type Supporting,
  type WhyNot,
  type WithExtras,
  type Without,
} from "./provider.ts";
export {
  type AnyWorkflowContract,
  HEARTBEAT_TASKS,
  type HeartbeatAnswer,
  type HeartbeatRequest,
  type HeartbeatTask,
  type ProviderHooks,
  type ProviderRegistration,
  type Receipt,
  type Register,
  type RegisterEnvironment,
  type Workflows,
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
  type RuntimeEvent,
  reportRemoteDate,
  runtimeDefaults,
  silentLog,
} from "./runtime.ts";
export type { AnswerKind, Fields, FieldsOf, OneOf, RequestKind, RequestShapeOf, Shape } from "./shape.ts";
export type { CreateSnapshotOptions, Snapshot, SnapshotFilter, SnapshotMethods, SnapshotStatus } from "./snapshot.ts";
export { canonicalJson, checksumOf, sha256, specHash } from "./spec-hash.ts";
export type { SpotMethods, SpotOptions, SpotPrice, SpotPriceFilter, SpotRequest } from "./spot.ts";
export { assertSupports, type Guarded, supports, type Unproven } from "./supports.ts";
export type {
  ClaimWarmVolumeOptions,
  CreateVolumeOptions,
  Volume,
  VolumeFilter,
  VolumeMethods,
  VolumeMount,
  WarmVolumeMethods,
  WarmVolumeOptions,
} from "./volume.ts";
export {
  type IsJson,
  type Schema,
  type SchemaResult,
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
