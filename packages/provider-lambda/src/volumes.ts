import { isProviderError } from "@slipway/core";
import { utcTime, type VolumeDriver } from "@slipway/provider-kit/driver";
import { statuses } from "./instance.ts";
import { isId, type LambdaRemote } from "./remote.ts";
import type { WireFileSystem, WireInstance } from "./wire.ts";

// Filesystems have no tags and no size: the name also holds the size that was asked for.
const SIZE = /-([0-9a-z]{1,11})$/;

/** Lambda's filesystems: they grow as they are filled, and are paid by what is in them. */
export function lambdaVolumes({ client, regions, volumeCache }: LambdaRemote): VolumeDriver<WireFileSystem> {
  return {
    isId,
    writeCache: volumeCache,
    list: (call) => client.fileSystems(call),
    identify: ({ id, name, region }) => ({
      id,
      name,
      region: region?.name,
      sizeBytes: Number.parseInt(SIZE.exec(name)?.[1] ?? "0", 36),
    }),
    nameSuffix: ({ sizeBytes }) => `-${sizeBytes.toString(36)}`,
    toVolume: ({ created, is_in_use }, base, attachedTo) => ({
      ...base,
      status: is_in_use === true ? "attached" : "available",
      attachedTo,
      createdAt: utcTime(created),
    }),
    create: async (call, { name, region = regions[0] }) => {
      try {
        return { volume: await client.createFileSystem(call, name, region) };
      } catch (error) {
        if (isProviderError(error, "CONFLICT")) return { exists: error };
        throw error;
      }
    },
    destroy: (call, id) => client.deleteFileSystem(call, id),
    attachments: async (call, volumes) => {
      const used = volumes.filter(({ is_in_use }) => is_in_use === true);
      const instances = used.length === 0 ? [] : await client.instances(call);
      return new Map(
        used.flatMap((volume) => {
          const user = instances.find((instance) => uses(instance, volume));
          return user === undefined ? [] : [[volume.id, user.id] as const];
        }),
      );
    },
  };
}

function uses(instance: WireInstance, { id, name }: WireFileSystem): boolean {
  if (statuses.statusOf(instance.status) === "terminated") return false;
  const { file_system_names = [], file_system_mounts = [] } = instance;
  return file_system_names.includes(name) || file_system_mounts.some(({ file_system_id }) => file_system_id === id);
}
