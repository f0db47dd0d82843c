import type { BootstrapScript } from "@slipway/core";
import { bootstrapPaths } from "@slipway/provider-kit/bootstrap";

/** Slurm's default limit is 4 MiB, and base64 makes the script larger by a third. */
export const MAX_BOOTSTRAP_BYTES: number = 1024 * 1024;

/**
 * What a job runs: the bootstrap once, then nothing until it is cancelled. The bootstrap is in base64, so no line of it
 * is taken for a `#SBATCH` directive.
 */
export function jobScript(base: string, token: string, script: BootstrapScript | undefined): string {
  if (script === undefined) return "#!/bin/sh\nexec sleep infinity\n";
  const encoded = Buffer.from(script.content)
    .toString("base64")
    .replace(/.{1,76}/g, "$&\n");
  return [
    "#!/bin/sh",
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
