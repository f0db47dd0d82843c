import type { Operation, Volume, VolumeMethods } from "@slipway/core";
import { isId, type Call, type __Name__Context } from "../context.ts";
import { PROVIDER, refusal } from "../errors.ts";
import { ownershipOf, tagsOf } from "../ownership.ts";
import type { WireDisk } from "../wire.ts";

export function volumeMethods(context: __Name__Context): VolumeMethods {
  const { client, owner } = context;
  return {
    createVolume: async ({ key, sizeBytes, region, zone, signal }) => {
      const call: Call = { operation: "createVolume", signal };
      if (zone !== undefined) throw refusal("INVALID_SPEC", call.operation, "zone: there are none");
      // #if multiRegion
      const place = region ?? context.regions[0];
      if (!context.regions.includes(place)) {
        throw refusal("INVALID_SPEC", call.operation, `region ${JSON.stringify(place)} is not configured`);
      }
      // #else
      if (region !== undefined) throw refusal("INVALID_SPEC", call.operation, "region: there are none");
      // #end
      return await context.keyedMutex(`volume ${key}`, call, async () => {
        const known = (await client.disks(call)).find(({ tags }) => isOf(tags, owner) && ownershipOf(tags)?.key === key);
        if (known === undefined) {
          const tags = tagsOf({ owner, key });
          // #if multiRegion
          return volumeFrom(await client.createDisk(call, { sizeBytes, tags, region: place }));
          // #else
          return volumeFrom(await client.createDisk(call, { sizeBytes, tags }));
          // #end
        }
        if (known.sizeBytes !== sizeBytes) throw conflict(call.operation, key, "size", known.id);
        // #if multiRegion
        if (region !== undefined && known.region !== region) throw conflict(call.operation, key, "region", known.id);
        // #end
        return volumeFrom(known);
      });
    },
    listVolumes: async ({ ids, keys, owner: whose = owner } = {}, { signal } = {}) =>
      (await client.disks({ operation: "listVolumes", signal }))
        .filter(({ tags }) => isOf(tags, whose))
        .map(volumeFrom)
        .filter(({ id, key }) => (ids?.includes(id) ?? true) && (keys === undefined || (key !== null && keys.includes(key)))),
    deleteVolume: async (id, { signal } = {}) => {
      if (!isId(id)) return;
      const call: Call = { operation: "deleteVolume", signal };
      const found = (await client.disks(call)).find((disk) => disk.id === id);
      if (found !== undefined && ownershipOf(found.tags) === null) {
        throw refusal("CONFLICT", call.operation, `${id} was not made by Slipway: it is left alone`, { nativeId: id });
      }
      await client.removeDisk(call, id);
    },
  };
}

function isOf(tags: Readonly<Record<string, string>>, owner: string): boolean {
  const ownership = ownershipOf(tags);
  return ownership !== null && (owner === "*" || ownership.owner === owner);
}

function volumeFrom(wire: WireDisk): Volume {
  const ownership = ownershipOf(wire.tags);
  return {
    id: wire.id,
    provider: PROVIDER,
    status: wire.machine === null ? "available" : "attached",
    key: ownership?.key ?? null,
    owner: ownership?.owner ?? null,
    sizeBytes: wire.sizeBytes,
    // #if multiRegion
    region: wire.region,
    // #end
    attachedTo: wire.machine,
    createdAt: wire.createdAt,
  };
}

function conflict(operation: Operation, key: string, what: string, nativeId: string): Error {
  const message = `the key ${JSON.stringify(key)} has a volume of another ${what}: ${nativeId}`;
  return refusal("CONFLICT", operation, message, { nativeId });
}
