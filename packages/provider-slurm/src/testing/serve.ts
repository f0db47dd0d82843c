import { ProviderError } from "@slipway/core";
import type { EmulatorProgram } from "@slipway/provider-kit/emulator";
import { missingTools, slurmCluster } from "./slurm-cluster.ts";

/**
 * For `slipway emulate slurm`: nothing is emulated, it is a real cluster on this machine. UNSUPPORTED where it cannot start.
 *
 * @example
 * ```ts
 * const { variables } = await serve();
 * console.log(variables);
 * ```
 */
export async function serve(): Promise<EmulatorProgram> {
  const reason = missingTools();
  if (reason !== undefined) {
    throw new ProviderError("UNSUPPORTED", {
      provider: "slurm",
      operation: "emulate",
      effect: "none",
      message: `no Slurm cluster can be started here: ${reason}`,
      hint: "With root rights; where Slurm is missing: apt-get install --no-install-recommends slurmctld slurmd slurm-client munge slurm-wlm-basic-plugins",
    });
  }
  const cluster = await slurmCluster();
  return { program: "slurmctld", variables: { SLURM_CONF: cluster.slurmConf }, close: cluster.close };
}
