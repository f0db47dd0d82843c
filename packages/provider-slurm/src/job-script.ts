import type { BootstrapScript } from "@slipway/core";
import { bootstrapPaths } from "@slipway/provider-kit/bootstrap";
import type { Prepared } from "./request.ts";

/** Slurm's default limit is 4 MiB, and base64 makes the script larger by a third. */
export const MAX_BOOTSTRAP_BYTES: number = 1024 * 1024;

/**
 * What a job runs: the bootstrap once, then nothing until it is cancelled. The bootstrap is in base64, so no line of it
 * is taken for a `#SBATCH` directive.
 */
export function jobScript(
  base: string,
  { token, end }: Pick<Prepared, "token" | "end">,
  script: BootstrapScript | undefined,
): string {
  const begin = ["#!/bin/sh", ...(end === undefined ? [] : keepEnd(end))];
  if (script === undefined) return `${begin.join("\n")}\nexec sleep infinity\n`;
  const encoded = Buffer.from(script.content)
    .toString("base64")
    .replace(/.{1,76}/g, "$&\n");
  return [
    ...begin,
    "umask 077",
    `dir=${base}/slipway-${token}-$SLURM_JOB_ID-\${SLURM_RESTART_COUNT:-0}`,
    // Fails if it is there: in a directory for all, someone else may have made it.
    'mkdir "$dir" || exec sleep infinity',
    'SLIPWAY_BOOTSTRAP_DIR="$dir"; export SLIPWAY_BOOTSTRAP_DIR',
    `base64 -d >"${bootstrapPaths("$dir").script}" <<'SLIPWAY_END'`,
    `${encoded.trimEnd()}`,
    "SLIPWAY_END",
    `/bin/sh "${bootstrapPaths("$dir").script}" </dev/null`,
    `rm -f "${bootstrapPaths("$dir").script}"`,
    "exec sleep infinity",
    "",
  ].join("\n");
}

/** An instant as Slurm's commands read it where TZ is UTC. */
export function slurmTime(seconds: number): string {
  return new Date(seconds * 1000).toISOString().slice(0, 19);
}

/**
 * What has waited ends no later for it: its user may bring a job's end forward. Where a node cannot ask the controller, the
 * job ends itself at that time.
 */
function keepEnd(end: number): readonly string[] {
  const left = `$((${end} - $(date +%s)))`;
  const bring = `TZ=UTC scontrol update "JobId=$SLURM_JOB_ID" EndTime=${slurmTime(end)}`;
  const endItself = `sleep "${left}"; scancel "$SLURM_JOB_ID" || kill -9 $$`;
  return [`[ "${left}" -gt 0 ] || exit 0`, `(${bring} || { ${endItself}; }) >/dev/null 2>&1 &`];
}

/** The most bytes of a log that one command prints. */
export const MAX_READ_BYTES: number = 4 * 1024 * 1024;

/** Prints the next part of the log in base64: where it is cut may be in the middle of a character. */
export function printLog(base: string, token: string, number: string, from: number): string {
  return `{ ${printFile(base, token, number, "log", from)}; } | head -c ${MAX_READ_BYTES} | base64`;
}

/** Prints a file of the newest run's bootstrap directory; nothing if it is not there yet. */
export function printFile(base: string, token: string, number: string, file: "sentinel" | "log", from = 0): string {
  const runs = `${base}/slipway-${token}-${number}-`;
  const path = bootstrapPaths('"$dir"')[file].replaceAll('"', "");
  return `dir=; for one in ${runs}*; do dir=$one; done; tail -c +${from + 1} "${path}" 2>/dev/null || :`;
}
