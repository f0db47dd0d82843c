import {
  accepts,
  type BaseSpawnOptions,
  type Capability,
  canPlace,
  type Provider,
  type SpawnOptions,
} from "@slipway/core";

/** Where the user names no region, one that is full is no reason to give up. `exact` is as its package made it. */
export async function placementsFor(
  provider: Provider,
  exact: Provider,
  options: SpawnOptions<Capability>,
): Promise<readonly BaseSpawnOptions[]> {
  if (!canPlace(exact)) return [];
  return (await exact.placements(options)).filter((placement) => accepts(provider, placement));
}
