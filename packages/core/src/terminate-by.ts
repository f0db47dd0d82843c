/**
 * Unlocked by `terminateBy`: the remote, or the machine itself, ends the instance at that time, although no process of
 * the caller's lives. `expiresAt` is advice that `reconcile` and `reap` act on; this one needs nobody.
 *
 * @example
 * if (supports(provider, "terminateBy")) await provider.spawn({ terminateBy: "2026-12-01T12:00:00Z" });
 */
export interface TerminateByOptions {
  /** ISO 8601 UTC, in the future: not earlier, and at most `limits.terminateLateMs` later, the instance is terminated. */
  readonly terminateBy: string;
}

/** The end that an instance has, as the remote keeps it. */
export interface TerminateBy {
  /** ISO 8601 UTC. */
  readonly at: string;
  /** Who ends it. `machine`: only while its guest runs, and its root lets it. */
  readonly by: "remote" | "machine";
}
