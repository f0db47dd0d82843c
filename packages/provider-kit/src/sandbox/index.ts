export { type DetectOptions, detectIsolation, type SandboxBind, type SandboxNetwork } from "./bubblewrap.ts";
export { confineCommand } from "./confine.ts";
export { endSandbox } from "./end.ts";
export { enterSandbox, execInSandbox, type SandboxExecOptions, type SandboxExecResult } from "./exec.ts";
export { type FileLock, fileLock, isLocked, tryFileLock } from "./file-lock.ts";
export { type FileInside, readFileInside, readInside, writeInside } from "./files-inside.ts";
export type { Isolation, IsolationReport, IsolationTools, Sandbox } from "./isolation.ts";
export { makeBindTarget, SandboxError, type SandboxErrorReason, type SandboxLayout, sandboxLayout } from "./layout.ts";
export {
  identify,
  identifySelf,
  type ProcessIdentity,
  type ProcessState,
  parseProcessIdentity,
  processState,
  systemProcessTable,
} from "./process-identity.ts";
export type { ProcessRow, ProcessTable } from "./ps-process-table.ts";
export { type SandboxSpec, startSandbox } from "./start.ts";
export { findSandbox, readText, sandboxExitCode, sandboxState } from "./status.ts";
export { type SandboxTerminalCommand, type SandboxTerminalOptions, sandboxTerminal } from "./terminal.ts";
