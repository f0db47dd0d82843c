import {
  type CleanupMethods,
  defineCleanup,
  type ProviderHooks,
  type RegisterEnvironment,
  type Workflow,
  type WorkflowContract,
} from "@slipway/core";
import { checkedConfig } from "@slipway/provider-kit/driver";
import { PROVIDER } from "./call.ts";
import { cleanupMethods } from "./cleanup.ts";
import { configSchema, withEnvironment } from "./options.ts";
import { type AwsProvider, awsParts } from "./provider.ts";
import { type MultiAzInput, type MultiAzOutput, multiAz, multiAzContract } from "./workflows/multi-az.ts";
import { type SpotFleetInput, type SpotFleetOutput, spotFleet, spotFleetContract } from "./workflows/spot-fleet.ts";
import {
  type WarmVolumesInput,
  type WarmVolumesOutput,
  warmVolumes,
  warmVolumesContract,
} from "./workflows/warm-volumes.ts";

/** The workflows of this package, by name. */
export type AwsWorkflows = {
  readonly multiAz: Workflow<MultiAzInput, MultiAzOutput>;
  readonly warmVolumes: Workflow<WarmVolumesInput, WarmVolumesOutput>;
  readonly spotFleet: Workflow<SpotFleetInput, SpotFleetOutput>;
};

export interface AwsRegistration {
  readonly provider: AwsProvider;
  readonly hooks: ProviderHooks;
  readonly cleanup: CleanupMethods;
  readonly workflows: AwsWorkflows;
  readonly contracts: {
    readonly multiAz: WorkflowContract<MultiAzInput, MultiAzOutput>;
    readonly warmVolumes: WorkflowContract<WarmVolumesInput, WarmVolumesOutput>;
    readonly spotFleet: WorkflowContract<SpotFleetInput, SpotFleetOutput>;
  };
}

/**
 * This package for a registry. Credentials come from the config, the variables AWS_ACCESS_KEY_ID,
 * AWS_SECRET_ACCESS_KEY and AWS_SESSION_TOKEN, or the SDK's own chain; regions from the config, AWS_REGION or
 * AWS_DEFAULT_REGION; the address from the config or AWS_ENDPOINT_URL. INVALID_SPEC for a config that `configSchema`
 * refuses; it calls nothing.
 */
export async function register(config: unknown, env: RegisterEnvironment): Promise<AwsRegistration> {
  const { variables, owner, runtime } = env;
  const given = checkedConfig(PROVIDER, configSchema, config ?? {});
  const { provider, hooks, context } = awsParts(withEnvironment({ ...given, owner, runtime }, variables));
  const parts = { context, provider };
  return {
    provider,
    hooks,
    cleanup: defineCleanup(provider, cleanupMethods(context), { runtime: { ...runtime, clock: context.clock } }),
    workflows: { multiAz: multiAz(parts), warmVolumes: warmVolumes(parts), spotFleet: spotFleet(parts) },
    contracts: { multiAz: multiAzContract, warmVolumes: warmVolumesContract, spotFleet: spotFleetContract },
  };
}
