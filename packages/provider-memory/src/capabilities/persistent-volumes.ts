import { nameFor, type Volume, type VolumeMethods } from "@slipway/core";
import {
  checkedBytes,
  checkedFilter,
  checkedKey,
  checkedText,
  configuredRegion,
  type MemoryContext,
  ownerFilter,
  PROVIDER,
  regionOfZone,
} from "../context.ts";
import { composeId, inRegions } from "../ids.ts";
import { anything, disk, diskPage, type WireDisk } from "../wire.ts";

const STATUSES: ReadonlyMap<string, Volume["status"]> = new Map([
  ["formatting", "pending"],
  ["free", "available"],
  ["mounted", "attached"],
  ["erasing", "deleting"],
]);

export function volumeMethods(context: MemoryContext): VolumeMethods {
  const { client, owner } = context;
  return {
    createVolume: async ({ key, sizeBytes, region, zone, signal }) => {
      const call = { operation: "createVolume", signal };
      const tag = { owner, key: checkedKey(call.operation, key) };
      const size = checkedBytes(call.operation, sizeBytes);
      if (zone !== undefined) checkedText(call.operation, "zone", zone);
      const place =
        region === undefined && zone !== undefined
          ? await regionOfZone(context, call, zone)
          : configuredRegion(context, call.operation, region);
      const body = {
        tag,
        name: nameFor(owner, key),
        sizeBytes: size,
        zone: zone ?? null,
        pool: null,
        anywhere: region === undefined && zone === undefined,
      };
      return volumeFrom(await client.send(call, "disks.create", place, body, disk));
    },
    listVolumes: async (given, { signal } = {}) => {
      const call = { operation: "listVolumes", signal };
      const filter = checkedFilter(call.operation, given, { ids: "texts", keys: "texts", owner: "text" });
      const found: Volume[] = [];
      for (const region of context.regions) {
        const rows = await client.sendAll(call, "disks.list", region, ownerFilter(context, filter.owner), diskPage);
        for (const row of rows) {
          const volume = volumeFrom(row);
          if (filter.ids?.some((id) => id === volume.id || id === row.id) === false) continue;
          if (filter.keys?.some((key) => key === volume.key) === false) continue;
          found.push(volume);
        }
      }
      return found;
    },
    deleteVolume: async (id, { signal } = {}) => {
      const call = { operation: "deleteVolume", signal };
      await inRegions(id, "memdisk", context.regions, (region, nativeId) =>
        client.send(call, "disks.delete", region, { id: nativeId }, anything),
      );
    },
  };
}

export function volumeFrom(row: WireDisk): Volume {
  return {
    id: composeId(row),
    provider: PROVIDER,
    status: STATUSES.get(row.state) ?? "unknown",
    key: row.tag?.key ?? null,
    owner: row.tag?.owner ?? null,
    sizeBytes: row.sizeBytes,
    region: row.region,
    zone: row.zone,
    attachedTo: row.machine === null ? null : composeId({ region: row.region, id: row.machine }),
    ...(row.pool === null ? {} : { pool: row.pool }),
    createdAt: new Date(row.createdAt).toISOString(),
  };
}
