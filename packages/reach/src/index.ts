export { type AccessArguments, openSession } from "./open-session.ts";
export type { KnownHostKeys, Session, SessionExecOptions, SessionResult, SshAccess } from "./session.ts";
