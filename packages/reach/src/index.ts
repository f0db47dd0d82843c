export { type AccessArguments, openSession } from "./open-session.ts";
export { type JobOutcome, type JobResult, type JobSpec, type RunJobsOptions, runJobs } from "./run-jobs.ts";
export type {
  CopyOptions,
  FollowOptions,
  Job,
  JobOptions,
  JobOutput,
  KnownHostKeys,
  Session,
  SessionExecOptions,
  SessionResult,
  SshAccess,
} from "./session.ts";
export { sessionBootstrap } from "./session-bootstrap.ts";
export { type AccessOption, type InstanceWork, type WithInstanceOptions, withInstance } from "./with-instance.ts";
