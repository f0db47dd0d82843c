import type { ErrorCode, ErrorEffect, ErrorScope, ProviderError } from "@slipway/core";
import type { Call } from "@slipway/provider-kit/driver";
import { refusal } from "./remote.ts";

/** What Slurm's commands say, and what the user gets. The first row that fits counts. */
export interface SlurmErrorRow {
  /** Unique; stands in `error.native.code`. */
  readonly id: string;
  /** One operation at which it occurs. */
  readonly operation: string;
  /** Matched with stderr: exit codes are error numbers modulo 256. */
  readonly says: RegExp;
  readonly code: ErrorCode;
  readonly scope?: ErrorScope;
  /** What is true after a command that writes; one that reads never has an effect. */
  readonly effect: ErrorEffect;
  readonly message: string;
  readonly hint?: string;
}

const spawn = { operation: "spawn", effect: "none" } as const;

export const slurmErrorTable: readonly SlurmErrorRow[] = [
  {
    ...spawn,
    id: "no-munge",
    // Not where it fails on the answer: then the controller has had the request.
    says: /Munge encode failed/i,
    code: "AUTH_ERROR",
    message: "munge does not run here, so Slurm refuses every command",
    hint: "Start munge on this machine, or set commandPrefix to run the commands on a login node.",
  },
  {
    ...spawn,
    id: "protocol-authentication",
    says: /Protocol authentication error/,
    code: "AUTH_ERROR",
    // Of the controller's answer too.
    effect: "unknown",
    message: "Slurm does not accept this machine's credentials",
    hint: "Check that munge runs and has the cluster's key.",
  },
  {
    ...spawn,
    id: "zero-bytes",
    says: /Zero Bytes were transmitted or received/,
    code: "AUTH_ERROR",
    effect: "unknown",
    message: "the controller closed the connection, as it does for another munge key",
    hint: "Check that munge here has the cluster's key.",
  },
  {
    ...spawn,
    id: "no-configuration",
    says: /Could not establish a configuration source/,
    code: "INVALID_SPEC",
    message: "Slurm finds no slurm.conf",
    hint: "Set slurmConf or SLURM_CONF, or set commandPrefix to run the commands on a login node.",
  },
  {
    ...spawn,
    id: "answer-lost",
    says: /Unable to contact slurm controller \((receive|send|shutdown) failure\)/,
    code: "UNAVAILABLE",
    effect: "unknown",
    message: "the connection to the controller broke",
    hint: "Call again with the same key: a job that was accepted is found.",
  },
  {
    ...spawn,
    id: "controller-down",
    says: /Unable to contact slurm controller/,
    code: "UNAVAILABLE",
    message: "the controller slurmctld does not answer",
    hint: "Look with `scontrol ping`; the site's administrator starts it.",
  },
  {
    ...spawn,
    id: "socket-timeout",
    says: /Socket timed out/,
    code: "TIMEOUT",
    effect: "unknown",
    message: "the controller did not answer in time",
    hint: "Call again with the same key: a job that was accepted is found.",
  },
  {
    ...spawn,
    id: "no-partition",
    says: /Invalid partition name specified/,
    code: "INVALID_SPEC",
    message: "the cluster has no such partition",
    hint: "See `sinfo -s` for the partitions, and give one as spec.",
  },
  {
    ...spawn,
    id: "bad-account",
    says: /Invalid account or account\/partition combination/,
    code: "INVALID_SPEC",
    message: "the account is unknown or may not use this partition",
    hint: "See `sacctmgr show associations user=$USER`, and give spec as partition/account.",
  },
  {
    ...spawn,
    id: "bad-qos",
    says: /Invalid qos specification/,
    code: "INVALID_SPEC",
    message: "the QOS is unknown or may not be used",
    hint: "Give spec as partition/account/qos with a QOS that you may use.",
  },
  {
    ...spawn,
    id: "group-not-permitted",
    says: /User's group not permitted to use this partition/,
    code: "AUTH_ERROR",
    message: "your group may not use this partition",
    hint: "Choose another partition, or ask the site for access.",
  },
  {
    ...spawn,
    id: "no-such-node",
    says: /Requested node configuration is not available/,
    code: "INVALID_SPEC",
    message: "no node of the partition has what was asked for",
    hint: "Ask for fewer CPUs, less memory or fewer GPUs, or choose another partition.",
  },
  {
    ...spawn,
    id: "too-many-processors",
    says: /More processors requested than permitted|Node count specification invalid/,
    code: "INVALID_SPEC",
    message: "the partition allows fewer CPUs for one job",
    hint: "Ask for fewer CPUs, or choose another partition.",
  },
  {
    ...spawn,
    id: "bad-gres",
    says: /Invalid generic resource \(gres\) specification/,
    code: "INVALID_SPEC",
    message: "the cluster has no such GPU",
  },
  {
    ...spawn,
    id: "time-limit",
    says: /Requested time limit is invalid/,
    code: "INVALID_SPEC",
    message: "the time limit is above the partition's",
    hint: "Set a smaller timeLimitMinutes; a terminateBy or an expiresAt may be too late as well.",
  },
  {
    ...spawn,
    id: "submit-limit",
    says: /Job violates accounting\/QOS policy/,
    code: "QUOTA_EXCEEDED",
    scope: "account",
    message: "a limit of the account or QOS is reached",
  },
  {
    ...spawn,
    id: "partition-down",
    says: /Required partition not available/,
    code: "UNAVAILABLE",
    scope: "placement",
    message: "the partition takes no jobs now",
    hint: "See `sinfo -s` for partitions that are up.",
  },
  {
    ...spawn,
    id: "queue-full",
    says: /temporarily unable to accept job|job queue full/i,
    code: "UNAVAILABLE",
    effect: "unknown",
    message: "the queue of the cluster is full",
  },
  {
    ...spawn,
    id: "too-long",
    says: /parameter too long|Script size too big/i,
    code: "INVALID_SPEC",
    message: "the script or a text is too long for this cluster",
  },
  {
    ...spawn,
    id: "option-unknown",
    says: /unrecognized option|invalid option/,
    code: "UNSUPPORTED",
    message: "this Slurm is too old: it does not know an option",
    hint: "Slurm 22.05 or newer is needed.",
  },
  {
    ...spawn,
    id: "no-such-feature",
    says: /Invalid feature specification/,
    code: "INVALID_SPEC",
    message: "no node has this feature",
    hint: "See `sinfo -o '%N %f'` for the features, and give one as constraint.",
  },
  {
    ...spawn,
    id: "no-such-reservation",
    says: /Requested reservation is invalid/,
    code: "INVALID_SPEC",
    message: "there is no such reservation, or it is not yours",
    hint: "See `scontrol show reservations`.",
  },
  {
    ...spawn,
    id: "option-invalid",
    says: /Invalid --\w+ specification/i,
    code: "INVALID_SPEC",
    message: "Slurm does not accept a value",
  },
  {
    id: "permission-denied",
    operation: "terminate",
    effect: "none",
    says: /Access\/permission denied/,
    code: "AUTH_ERROR",
    message: "another user's job",
  },
  {
    id: "job-gone",
    operation: "exec",
    effect: "none",
    says: /Invalid job id specified|Slurm job \d+ has expired|already completing or completed/,
    code: "NOT_FOUND",
    message: "the job is gone",
  },
  {
    id: "job-pending",
    operation: "exec",
    effect: "none",
    says: /Job is pending execution/,
    code: "INVALID_STATE",
    message: "the job waits in the queue",
  },
];

/** The row that fits what a command printed. */
export function errorRow(stderr: string): SlurmErrorRow | undefined {
  return slurmErrorTable.find(({ says }) => says.test(stderr));
}

/** The error of a command that ended with another code than 0. */
export function commandError(call: Call, verb: string, stderr: string, writes: boolean): ProviderError {
  const row = errorRow(stderr);
  const last = stderr.split("\n").findLast((one) => one.trim() !== "") ?? "";
  const line = last.replace(/^(\w+: )?((error|fatal): )?/, "").slice(0, 300);
  const effect = writes ? (row?.effect ?? "unknown") : "none";
  return refusal(
    row?.code ?? "INTERNAL",
    call.operation,
    `${verb}: ${row?.message ?? (line === "" ? "it failed and said nothing" : line)}`,
    {
      effect,
      hint: row?.hint,
      ...(row?.scope === undefined ? {} : { scope: row.scope }),
      native: { code: row?.id ?? `${verb}-failed` },
    },
  );
}
