import type { ErrorCode, InstanceStatus } from "@slipway/core";
import type { Job } from "./wire.ts";

interface StateRow {
  readonly status: InstanceStatus;
  /** In place of Slurm's own word as the code of the status reason. */
  readonly code?: string;
  readonly message?: string;
}

const FAILED = "the job ended by itself";

/** Every state of Slurm 22.05 to 26.05. A word that is not here is `unknown`. */
export const slurmStates: Readonly<Record<string, StateRow>> = {
  PENDING: { status: "pending" },
  CONFIGURING: { status: "pending", message: "its nodes boot" },
  POWER_UP_NODE: { status: "pending", message: "its nodes boot" },
  REQUEUED: { status: "pending", message: "Slurm runs it again" },
  REQUEUE_FED: { status: "pending", message: "Slurm runs it again" },
  REQUEUE_HOLD: { status: "pending", message: "held until someone releases it" },
  SPECIAL_EXIT: { status: "pending", message: "held until someone releases it" },
  RESV_DEL_HOLD: { status: "pending", message: "its reservation was deleted" },
  RUNNING: { status: "running" },
  RESIZING: { status: "running" },
  SIGNALING: { status: "running" },
  EXPEDITING: { status: "running" },
  SUSPENDED: { status: "stopped", message: "suspended by the site" },
  STOPPED: { status: "stopped", message: "stopped by a signal" },
  COMPLETING: { status: "terminating" },
  STAGE_OUT: { status: "terminating" },
  COMPLETED: { status: "terminated" },
  CANCELLED: { status: "terminated" },
  REVOKED: { status: "terminated", message: "another cluster of the federation runs it" },
  TIMEOUT: { status: "terminated", message: "its time limit is over" },
  DEADLINE: { status: "terminated", message: "its deadline has passed" },
  PREEMPTED: { status: "terminated", code: "SPOT_INTERRUPTED", message: "a job of higher priority took its nodes" },
  FAILED: { status: "error", message: FAILED },
  NODE_FAIL: { status: "error", message: "its node failed" },
  BOOT_FAIL: { status: "error", message: "its node did not boot" },
  OUT_OF_MEMORY: { status: "error", message: "it used more memory than it was given" },
  LAUNCH_FAILED: { status: "error", message: "Slurm could not start it" },
};

// What Slurm writes as the reason of a job that has not ended as it should.
const FAILURES: readonly (readonly [says: RegExp, state: string])[] = [
  [/^NodeDown/, "NODE_FAIL"],
  [/^OutOfMemory/, "OUT_OF_MEMORY"],
  [/^(NonZeroExitCode|JobLaunchFailure|RaisedSignal|SystemFailure|Prolog)/, "FAILED"],
];

/** The state under the flags that hide it while Slurm clears a job away: it may have failed, or wait for its next run. */
export function settledState({ state, reason, started, ended, used }: Settling): string {
  if (state !== "COMPLETING" && state !== "STAGE_OUT") return state;
  // Its end is still an estimate: it has not run in this life, but in the one before.
  if (used === "0:00" && ended !== started) return "REQUEUED";
  return FAILURES.find(([says]) => says.test(reason))?.[1] ?? state;
}

type Settling = Pick<Job, "state" | "reason" | "started" | "ended" | "used">;

interface ReasonRow {
  readonly says: RegExp;
  /** It can never start as it is. Absent: it waits. */
  readonly never?: ErrorCode;
  readonly message: string;
}

/** Why a job waits; the first row that fits counts. */
export const slurmReasons: readonly ReasonRow[] = [
  { says: /^JobHeldUser$/, message: "held: its spawn was cut off, or its user holds it" },
  { says: /^JobHeldAdmin$/, message: "held by an administrator" },
  {
    says: /^(PartitionConfig|PartitionTimeLimit|PartitionNodeLimit)$/,
    never: "INVALID_SPEC",
    message: "the partition does not allow what was asked for",
  },
  { says: /^(BadConstraints|MaxMemPerLimit)$/, never: "INVALID_SPEC", message: "no node has what was asked for" },
  {
    says: /^(AccountNotAllowed|InvalidAccount)$/,
    never: "INVALID_SPEC",
    message: "the account may not use the partition",
  },
  { says: /^(QOSNotAllowed|InvalidQOS)$/, never: "INVALID_SPEC", message: "the QOS may not be used here" },
  { says: /^DependencyNeverSatisfied$/, never: "INVALID_SPEC", message: "its dependency can never be satisfied" },
  {
    says: /^(Assoc|QOS)\w*(PerJob|PerNode|Min(?!utes))\w*$/,
    never: "QUOTA_EXCEEDED",
    message: "one job of this size is above the limit",
  },
  {
    says: /^(Assoc|QOS|AssociationJobLimit)/,
    message: "a limit of the account or QOS is reached; it waits for other jobs to end",
  },
  { says: /^(PartitionDown|PartitionInactive)$/, message: "the partition is closed" },
  { says: /^(Nodes required|ReqNodeNotAvail)/, message: "the nodes it needs are down, drained or reserved" },
  { says: /^BeginTime$/, message: "Slurm waits before it runs the job again" },
  { says: /^None$/, message: "the scheduler has not looked at it yet" },
  { says: /^(Priority|Resources)$/, message: "it waits its turn in the queue" },
  { says: /./, message: "it waits in the queue" },
];

/** The row of a pending job's reason. */
export function reasonRow(reason: string): ReasonRow | undefined {
  return slurmReasons.find(({ says }) => says.test(reason));
}
