export { type Choice, readChoice } from "./anywhere/anywhere-record.ts";
export {
  type AnywhereControl,
  type AnywhereFailpoint,
  type AnywhereLaunch,
  launchAnywhere,
} from "./anywhere/launch-anywhere.ts";
export {
  type AnywhereOptions,
  cheapestFirst,
  type FindOptions,
  findPlaces,
  type Need,
  type Place,
  type PlaceOrder,
  type Places,
  requestAt,
  type Unfit,
} from "./anywhere/places.ts";
export { AnywhereRefusal, type SpreadLeftover, SpreadRefusal, type TriedPlace } from "./anywhere/refusal.ts";
export {
  type Spread,
  type SpreadControl,
  type SpreadFailpoint,
  type SpreadLaunch,
  type SpreadOptions,
  spread,
} from "./anywhere/spread.ts";
export { type Budget, BudgetRefusal } from "./budget/claim.ts";
export { compose } from "./compose.ts";
export { launch } from "./launch/launch.ts";
export type {
  ControlOf,
  IdempotentProvider,
  LaunchFailpoint,
  LaunchOptions,
  OptionsWithoutStore,
  StoredLaunchOptions,
} from "./launch/launching.ts";
export type { EndRecording } from "./launch/record-end.ts";
export type { WaitOptions } from "./poll.ts";
export type { PoolChange, PoolReplacement } from "./pool/plan.ts";
export { type Pool, type PoolOptions, type PoolSpec, pool } from "./pool/pool.ts";
export type { PoolSize, PoolSlot, PoolSlotState } from "./pool/slot.ts";
export type { IdleOptions, IdleOutcome } from "./reap/idle.ts";
export type { IdleSession } from "./reap/idle-look.ts";
export { type ProviderReap, type Reaped, type ReapOptions, type ReapReport, reap } from "./reap/reap.ts";
export { type ClockCheck, type RemoteClock, remoteClock } from "./reap/remote-clock.ts";
export { type ApplyOptions, type ApplyResult, apply } from "./reconcile/apply.ts";
export {
  type Difference,
  type DriftedItem,
  type DuplicateItem,
  type ExpiredItem,
  type Findings,
  type MissingItem,
  type NotLookedFor,
  type OrphanItem,
  type PlanItem,
  planFrom,
  type ReconcilePlan,
  type UnknownRunItem,
  type UnreadRecords,
} from "./reconcile/plan.ts";
export { findOrphans, type ReconcileOptions, reconcile } from "./reconcile/reconcile.ts";
export {
  type BootstrapReports,
  type BootstrapReportsOptions,
  bootstrapReports,
  nodeListener,
} from "./reports/bootstrap-reports.ts";
export { type FileStoreOptions, fileStore } from "./store/file-store.ts";
export { memoryStore } from "./store/memory-store.ts";
export type { Processes, ProcessIdentity, ProcessState } from "./store/process-identity.ts";
export {
  type DataRecord,
  type ExpectedInstance,
  isStoredRecord,
  type JsonValue,
  type LaunchIdentity,
  type LaunchRecord,
  launchId,
  type RecordedError,
  type RecordKind,
  type RunRecord,
  recordFault,
  recordId,
  runRecordId,
  type StepRecord,
  type StoredRecord,
} from "./store/record.ts";
export { parseRecordRow, type RowContent, recordColumns, recordText } from "./store/record-row.ts";
export { stepKey } from "./store/run-steps.ts";
export { type SqliteStoreOptions, sqliteStore } from "./store/sqlite/sqlite-store.ts";
export {
  allEntries,
  type EntryFilter,
  type Exclusion,
  type Journal,
  type LaunchStore,
  type Lease,
  matchesFilter,
  type Store,
  type StoreEntry,
} from "./store/store.ts";
export { isStoreError, STORE_ERROR_CODES, StoreError, type StoreErrorCode } from "./store/store-error.ts";
export { type TerminateOptions, terminateAndConfirm } from "./terminate-and-confirm.ts";
export {
  type BootstrappedInstance,
  type BootstrapSource,
  type BootstrapSources,
  type BootstrapWaitArguments,
  waitForBootstrap,
} from "./wait-for-bootstrap.ts";
export { waitForStatus } from "./wait-for-status.ts";
export { type ResumeOptions, type ResumeOutcome, type ResumeReport, resumeRuns } from "./workflow/resume-runs.ts";
export type { WorkflowEvent } from "./workflow/run.ts";
export { type RunOptions, runWorkflow } from "./workflow/run-workflow.ts";
export {
  isWorkflowError,
  type Leftover,
  WORKFLOW_ERROR_CODES,
  WorkflowError,
  type WorkflowErrorCode,
} from "./workflow/workflow-error.ts";
