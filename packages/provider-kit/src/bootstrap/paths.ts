/** Where the bootstrap keeps its files in an instance, unless `SLIPWAY_BOOTSTRAP_DIR` says otherwise when it runs. */
export const BOOTSTRAP_DIRECTORY = "/var/lib/slipway/bootstrap";

/** What is in that directory. `script` is the rendered bootstrap where the instance stores it itself. */
export function bootstrapPaths(directory: string = BOOTSTRAP_DIRECTORY): {
  readonly sentinel: string;
  readonly log: string;
  readonly script: string;
} {
  return {
    sentinel: `${directory}/sentinel`,
    log: `${directory}/output.log`,
    script: `${directory}/bootstrap.sh`,
  };
}

/** The state of the bootstrap; read it with `parseSentinel`. */
export const BOOTSTRAP_SENTINEL_PATH: string = bootstrapPaths().sentinel;

/** What the installs and the user's script printed; readable by its owner alone. */
export const BOOTSTRAP_LOG_PATH: string = bootstrapPaths().log;
