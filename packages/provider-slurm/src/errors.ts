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

function row(
  id: string,
  says: RegExp,
  code: ErrorCode,
  message: string,
  more: Partial<SlurmErrorRow> = {},
): SlurmErrorRow {
  return { id, operation: "spawn", effect: "none", says, code, message, ...more };
}

export const slurmErrorTable: readonly SlurmErrorRow[] = [
  // Not where it fails on the answer: then the controller has had the request.
  row("no-munge", /Munge encode failed/i, "AUTH_ERROR", "munge does not run here, so Slurm refuses every command", {
    hint: "Start munge on this machine, or set commandPrefix to run the commands on a login node.",
  }),
  // Of the controller's answer too.
  row(
    "protocol-authentication",
    /Protocol authentication error/,
    "AUTH_ERROR",
    "Slurm does not accept this machine's credentials",
    { effect: "unknown", hint: "Check that munge runs and has the cluster's key." },
  ),
  row(
    "zero-bytes",
    /Zero Bytes were transmitted or received/,
    "AUTH_ERROR",
    "the controller closed the connection, as it does for another munge key",
    { effect: "unknown", hint: "Check that munge here has the cluster's key." },
  ),
  row("no-configuration", /Could not establish a configuration source/, "INVALID_SPEC", "Slurm finds no slurm.conf", {
    hint: "Set slurmConf or SLURM_CONF, or set commandPrefix to run the commands on a login node.",
  }),
  row(
    "answer-lost",
    /Unable to contact slurm controller \((receive|send|shutdown) failure\)/,
    "UNAVAILABLE",
    "the connection to the controller broke",
    { effect: "unknown", hint: "Call again with the same key: a job that was accepted is found." },
  ),
  row(
    "controller-down",
    /Unable to contact slurm controller/,
    "UNAVAILABLE",
    "the controller slurmctld does not answer",
    { hint: "Look with `scontrol ping`; the site's administrator starts it." },
  ),
  row("socket-timeout", /Socket timed out/, "TIMEOUT", "the controller did not answer in time", {
    effect: "unknown",
    hint: "Call again with the same key: a job that was accepted is found.",
  }),
  row("no-partition", /Invalid partition name specified/, "INVALID_SPEC", "the cluster has no such partition", {
    hint: "See `sinfo -s` for the partitions, and give one as spec.",
  }),
  row(
    "bad-account",
    /Invalid account or account\/partition combination/,
    "INVALID_SPEC",
    "the account is unknown or may not use this partition",
    { hint: "See `sacctmgr show associations user=$USER`, and give spec as partition/account." },
  ),
  row("bad-qos", /Invalid qos specification/, "INVALID_SPEC", "the QOS is unknown or may not be used", {
    hint: "Give spec as partition/account/qos with a QOS that you may use.",
  }),
  row(
    "group-not-permitted",
    /User's group not permitted to use this partition/,
    "AUTH_ERROR",
    "your group may not use this partition",
    { hint: "Choose another partition, or ask the site for access." },
  ),
  row(
    "no-such-node",
    /Requested node configuration is not available/,
    "INVALID_SPEC",
    "no node of the partition has what was asked for",
    { hint: "Ask for fewer CPUs, less memory or fewer GPUs, or choose another partition." },
  ),
  row(
    "too-many-processors",
    /More processors requested than permitted|Node count specification invalid/,
    "INVALID_SPEC",
    "the partition allows fewer CPUs for one job",
    { hint: "Ask for fewer CPUs, or choose another partition." },
  ),
  row("bad-gres", /Invalid generic resource \(gres\) specification/, "INVALID_SPEC", "the cluster has no such GPU"),
  row("time-limit", /Requested time limit is invalid/, "INVALID_SPEC", "the time limit is above the partition's", {
    hint: "Set a smaller timeLimitMinutes; a terminateBy or an expiresAt may be too late as well.",
  }),
  row(
    "submit-limit",
    /Job violates accounting\/QOS policy/,
    "QUOTA_EXCEEDED",
    "a limit of the account or QOS is reached",
    { scope: "account" },
  ),
  row("partition-down", /Required partition not available/, "UNAVAILABLE", "the partition takes no jobs now", {
    scope: "placement",
    hint: "See `sinfo -s` for partitions that are up.",
  }),
  row(
    "queue-full",
    /temporarily unable to accept job|job queue full/i,
    "UNAVAILABLE",
    "the queue of the cluster is full",
    { effect: "unknown" },
  ),
  row(
    "too-long",
    /parameter too long|Script size too big/i,
    "INVALID_SPEC",
    "the script or a text is too long for this cluster",
  ),
  row(
    "option-unknown",
    /unrecognized option|invalid option/,
    "UNSUPPORTED",
    "this Slurm is too old: it does not know an option",
    { hint: "Slurm 22.05 or newer is needed." },
  ),
  row("no-such-feature", /Invalid feature specification/, "INVALID_SPEC", "no node has this feature", {
    hint: "See `sinfo -o '%N %f'` for the features, and give one as constraint.",
  }),
  row(
    "no-such-reservation",
    /Requested reservation is invalid/,
    "INVALID_SPEC",
    "there is no such reservation, or it is not yours",
    { hint: "See `scontrol show reservations`." },
  ),
  row("option-invalid", /Invalid --\w+ specification/i, "INVALID_SPEC", "Slurm does not accept a value"),
  row("permission-denied", /Access\/permission denied/, "AUTH_ERROR", "another user's job", { operation: "terminate" }),
  row(
    "job-gone",
    /Invalid job id specified|Slurm job \d+ has expired|already completing or completed/,
    "NOT_FOUND",
    "the job is gone",
    { operation: "exec" },
  ),
  row("job-pending", /Job is pending execution/, "INVALID_STATE", "the job waits in the queue", { operation: "exec" }),
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
