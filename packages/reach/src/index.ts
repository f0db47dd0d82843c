export type { PortForwardMethods } from "./native-session.ts";
export { type AccessArguments, openSession, type SessionOf } from "./open-session.ts";
export { type JobOutcome, type JobResult, type JobSpec, type RunJobsOptions, runJobs } from "./run-jobs.ts";
export type {
  CopyOptions,
  FollowOptions,
  Forward,
  ForwardMethod,
  ForwardOptions,
  Job,
  JobOptions,
  JobOutput,
  KnownHostKeys,
  NativeSession,
  RunOnTerminal,
  Session,
  SessionExecOptions,
  SessionMethods,
  SessionResult,
  SshAccess,
  SshSession,
  TtyMethod,
  TtyOptions,
} from "./session.ts";
export { sessionBootstrap } from "./session-bootstrap.ts";
export { type AccessOption, type InstanceWork, type WithInstanceOptions, withInstance } from "./with-instance.ts";
