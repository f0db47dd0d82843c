export { REDACTED, redact, redactCut } from "../redact.ts";
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
export type { CommandInput, OpenFile } from "./run-process.ts";
export {
  type CommandRunnerOptions,
  checkArgv,
  commandRunner,
  DEFAULT_MAX_OUTPUT_BYTES,
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
