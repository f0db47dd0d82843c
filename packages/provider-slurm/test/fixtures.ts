import type { ErrorCode, ErrorEffect, ErrorScope } from "@slipway/core";

/** What a command of Slurm 22.05 prints on stderr, and by hand what a caller has to be told of it. */
export interface Fixture {
  /** The row of the table; `undefined` if no row fits. */
  readonly id: string | undefined;
  readonly stderr: string;
  readonly code: ErrorCode;
  readonly scope?: ErrorScope;
  /** After a command that writes. */
  readonly effect: ErrorEffect;
}

const refused = (text: string): string => `sbatch: error: Batch job submission failed: ${text}\n`;

export const fixtures: readonly Fixture[] = [
  {
    id: "no-munge",
    stderr: `sbatch: error: If munged is up, restart with --num-threads=10
sbatch: error: Munge encode failed: Failed to access "/run/munge/munge.socket.2": No such file or directory
sbatch: error: slurm_send_node_msg: g_slurm_auth_create: REQUEST_SUBMIT_BATCH_JOB has authentication error
${refused("Protocol authentication error")}`,
    code: "AUTH_ERROR",
    effect: "none",
  },
  {
    id: "protocol-authentication",
    stderr: refused("Protocol authentication error"),
    code: "AUTH_ERROR",
    effect: "unknown",
  },
  {
    id: "zero-bytes",
    stderr: refused("Zero Bytes were transmitted or received"),
    code: "AUTH_ERROR",
    effect: "unknown",
  },
  {
    id: "no-configuration",
    stderr: `sbatch: error: resolve_ctls_from_dns_srv: res_nsearch error: Unknown host
sbatch: error: fetch_config: DNS SRV lookup failed
sbatch: error: _establish_config_source: failed to fetch config
sbatch: fatal: Could not establish a configuration source
`,
    code: "INVALID_SPEC",
    effect: "none",
  },
  {
    id: "answer-lost",
    stderr: refused("Unable to contact slurm controller (receive failure)"),
    code: "UNAVAILABLE",
    effect: "unknown",
  },
  {
    id: "controller-down",
    stderr: refused("Unable to contact slurm controller (connect failure)"),
    code: "UNAVAILABLE",
    effect: "none",
  },
  {
    id: "socket-timeout",
    stderr: refused("Socket timed out on send/recv operation"),
    code: "TIMEOUT",
    effect: "unknown",
  },
  {
    id: "no-partition",
    stderr: `sbatch: error: invalid partition specified: nope
${refused("Invalid partition name specified")}`,
    code: "INVALID_SPEC",
    effect: "none",
  },
  {
    id: "bad-account",
    stderr: refused("Invalid account or account/partition combination specified"),
    code: "INVALID_SPEC",
    effect: "none",
  },
  { id: "bad-qos", stderr: refused("Invalid qos specification"), code: "INVALID_SPEC", effect: "none" },
  {
    id: "group-not-permitted",
    stderr: refused("User's group not permitted to use this partition"),
    code: "AUTH_ERROR",
    effect: "none",
  },
  {
    id: "no-such-node",
    stderr: `sbatch: error: Memory specification can not be satisfied
${refused("Requested node configuration is not available")}`,
    code: "INVALID_SPEC",
    effect: "none",
  },
  {
    id: "too-many-processors",
    stderr: refused("More processors requested than permitted"),
    code: "INVALID_SPEC",
    effect: "none",
  },
  {
    id: "bad-gres",
    stderr: "sbatch: error: Invalid generic resource (gres) specification\n",
    code: "INVALID_SPEC",
    effect: "none",
  },
  {
    id: "time-limit",
    stderr: refused("Requested time limit is invalid (missing or exceeds some limit)"),
    code: "INVALID_SPEC",
    effect: "none",
  },
  {
    id: "submit-limit",
    stderr: `sbatch: error: AssocMaxSubmitJobLimit
${refused("Job violates accounting/QOS policy (job submit limit, user's size and/or time limits)")}`,
    code: "QUOTA_EXCEEDED",
    scope: "account",
    effect: "none",
  },
  {
    id: "partition-down",
    stderr: refused("Required partition not available (inactive or drain)"),
    code: "UNAVAILABLE",
    scope: "placement",
    effect: "none",
  },
  {
    id: "queue-full",
    stderr: "sbatch: error: Slurm temporarily unable to accept job, sleeping and retrying\n",
    code: "UNAVAILABLE",
    effect: "unknown",
  },
  {
    id: "too-long",
    stderr: refused("Pathname of a file, directory or other parameter too long"),
    code: "INVALID_SPEC",
    effect: "none",
  },
  {
    id: "option-unknown",
    stderr: "sbatch: unrecognized option '--extra=x'\nTry \"sbatch --help\" for more information\n",
    code: "UNSUPPORTED",
    effect: "none",
  },
  {
    id: "no-such-feature",
    stderr: refused("Invalid feature specification"),
    code: "INVALID_SPEC",
    effect: "none",
  },
  {
    id: "no-such-reservation",
    stderr: refused("Requested reservation is invalid"),
    code: "INVALID_SPEC",
    effect: "none",
  },
  {
    id: "option-invalid",
    stderr: "sbatch: error: Invalid --time specification\n",
    code: "INVALID_SPEC",
    effect: "none",
  },
  {
    id: "permission-denied",
    stderr: "scancel: error: Kill job error on job id 12: Access/permission denied\n",
    code: "AUTH_ERROR",
    effect: "none",
  },
  {
    id: "job-gone",
    stderr: "slurm_load_jobs error: Invalid job id specified\n",
    code: "NOT_FOUND",
    effect: "none",
  },
  {
    id: "job-gone",
    stderr: "srun: error: Slurm job 12 has expired\n",
    code: "NOT_FOUND",
    effect: "none",
  },
  {
    id: "job-pending",
    stderr: "srun: error: Unable to create step for job 12: Job is pending execution\n",
    code: "INVALID_STATE",
    effect: "none",
  },
  {
    id: undefined,
    stderr: refused("The account of this user has expired"),
    code: "INTERNAL",
    effect: "unknown",
  },
  { id: undefined, stderr: refused("Something that no version says"), code: "INTERNAL", effect: "unknown" },
  { id: undefined, stderr: "", code: "INTERNAL", effect: "unknown" },
];
