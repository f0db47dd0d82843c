export { REDACTED, redact, redactCut } from "../redact.ts";
export { checkArgv, execMethod, type InsideInput } from "./argv.ts";
export { commandEmulator, type EmulatedCall, type ProgramAnswer } from "./command-emulator.ts";
export {
  CommandError,
  type CommandErrorDetails,
  type CommandFailureContext,
  type CommandFault,
  commandFailure,
  commandLine,
  isCommandError,
  spokenWords,
} from "./command-error.ts";
export { BASE_ENVIRONMENT } from "./environment.ts";
export {
  type AnsweredContext,
  type CommandAnswer,
  type CommandErrorRow,
  type CommandErrorTable,
  type CommandErrorTableOptions,
  commandErrorTable,
} from "./error-table.ts";
export type { CommandInput, OpenFile } from "./run-process.ts";
export {
  type CommandRunnerOptions,
  commandRunner,
  DEFAULT_MAX_OUTPUT_BYTES,
  execOf,
  runCommand,
  type StreamingExec,
  type StreamingOptions,
} from "./runner.ts";
export {
  type CommandRecord,
  type CommandTranscript,
  type RecordingRunner,
  recordingRunner,
  type ScriptedOptions,
  type ScriptedRunner,
  scriptedRunner,
} from "./scripted-runner.ts";
export { isAtLeast, type Version, versionIn, versionText } from "./version.ts";
