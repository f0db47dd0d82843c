import type { Call } from "@slipway/provider-kit/driver";
import { type LambdaRemote, type LambdaSpawnOptions, refusal } from "./remote.ts";
import type { BootLink } from "./user-data.ts";
import type { WireFileSystem, WireMount } from "./wire.ts";

// Lambda's own rule for a mount point; elsewhere a link of cloud-init's leads there.
const MOUNTABLE = /^(\/home|\/lambda\/nfs|\/data)[/a-zA-Z0-9-]*$/;
const LINKABLE = /^\/mnt(\/[a-zA-Z0-9_-][a-zA-Z0-9._-]*)+$/;
const MOUNT_POINT_MAX = 256;

/** The filesystems of a spawn, as Lambda takes them. */
export interface SpawnMounts {
  /** Where they all are; undefined without any. */
  readonly region: string | undefined;
  readonly names: readonly string[];
  readonly mounts: readonly WireMount[];
  readonly links: readonly BootLink[];
}

const NONE: SpawnMounts = { region: undefined, names: [], mounts: [], links: [] };

/** Looks the filesystems up. INVALID_SPEC for one that is not there, is elsewhere, or cannot be found at its path. */
export async function mountsFor(
  remote: LambdaRemote,
  call: Call,
  { volumes = [], region }: Pick<LambdaSpawnOptions, "volumes" | "region">,
): Promise<SpawnMounts> {
  if (volumes.length === 0) return NONE;
  const invalid = (message: string): Error => refusal("INVALID_SPEC", call.operation, `volumes: ${message}`);
  for (const field of ["id", "mountPath"] as const) {
    if (new Set(volumes.map((volume) => volume[field])).size < volumes.length)
      throw invalid(`one ${field} stands twice`);
  }
  for (const { mountPath } of volumes) {
    const known = (MOUNTABLE.test(mountPath) || LINKABLE.test(mountPath)) && mountPath.length <= MOUNT_POINT_MAX;
    if (known) continue;
    throw invalid(
      `mountPath ${JSON.stringify(mountPath)} must lie in /home, /data or /lambda/nfs, as Lambda wants it, or in /mnt, where a link is made`,
    );
  }
  const all = await remote.client.fileSystems(call);
  const found = volumes.map(({ id, mountPath }) => {
    const fileSystem = all.find((one) => one.id === id) ?? remote.volumeCache.ofId(id);
    if (fileSystem === undefined) throw invalid(`there is no filesystem ${JSON.stringify(id)}`);
    return { fileSystem, mountPath };
  });
  const places = new Set(found.map(({ fileSystem }) => fileSystem.region?.name ?? region));
  const [place] = places;
  if (places.size > 1 || (region !== undefined && place !== region)) {
    throw invalid(`they are in ${[...places].join(" and ")}; all must be in the instance's region`);
  }
  if (place !== undefined && !remote.regions.includes(place))
    throw invalid(`they are in ${place}, which is not configured`);
  return {
    region: place,
    names: found.map(({ fileSystem }) => fileSystem.name),
    mounts: found
      .filter(({ mountPath }) => MOUNTABLE.test(mountPath))
      .map(({ fileSystem, mountPath }) => ({ mount_point: mountPath, file_system_id: fileSystem.id })),
    links: found
      .filter(({ mountPath }) => !MOUNTABLE.test(mountPath))
      .map(({ fileSystem, mountPath }) => ({ path: mountPath, target: mountPointOf(fileSystem) })),
  };
}

function mountPointOf({ mount_point, name }: WireFileSystem): string {
  return mount_point ?? `/lambda/nfs/${name}`;
}
