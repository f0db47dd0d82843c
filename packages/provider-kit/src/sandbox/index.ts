export type { SandboxBind, SandboxNetwork } from "./bubblewrap.ts";
export { endSandbox } from "./end.ts";
export { execInSandbox, type SandboxExecOptions, type SandboxExecResult } from "./exec.ts";
export { type FileLock, fileLock, isLocked, tryFileLock } from "./file-lock.ts";
export {
  type DetectOptions,
  detectIsolation,
  type Isolation,
  type IsolationReport,
  type IsolationTools,
} from "./isolation.ts";
export { type SandboxLayout, sandboxLayout } from "./layout.ts";
export {
  identify,
  identifySelf,
  type ProcessIdentity,
  type ProcessState,
  parseProcessIdentity,
  processState,
} from "./process-identity.ts";
export { type ProcessRow, type ProcessTable, systemProcessTable } from "./process-table.ts";
export type { Sandbox } from "./sandbox.ts";
export { SandboxError, type SandboxErrorReason } from "./sandbox-error.ts";
export { type SandboxSpec, startSandbox } from "./start.ts";
export { findSandbox, readText, sandboxExitCode, sandboxState } from "./status.ts";
