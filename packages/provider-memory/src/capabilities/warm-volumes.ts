import { isProviderError, nameFor, type Volume, type WarmVolumeMethods } from "@slipway/core";
import type { Call } from "../client.ts";
import {
  checkedBytes,
  checkedKey,
  checkedText,
  inRegionsOrThrow,
  type MemoryContext,
  regionOfZone,
} from "../context.ts";
import { inRegions } from "../ids.ts";
import { anything, disk, diskPage, machine, type WireDisk } from "../wire.ts";
import { volumeFrom } from "./persistent-volumes.ts";

const MOUNT_PATH = "/mnt/warm";

export function warmVolumeMethods(context: MemoryContext): WarmVolumeMethods {
  const { client, owner } = context;
  return {
    warmVolume: async ({ key, pool, sizeBytes, zone, signal }) => {
      const call = { operation: "warmVolume", signal };
      const body = {
        tag: { owner, key: checkedKey(call.operation, key) },
        name: nameFor(owner, key),
        sizeBytes: checkedBytes(call.operation, sizeBytes),
        zone: checkedText(call.operation, "zone", zone),
        pool: checkedText(call.operation, "pool", pool),
        anywhere: false,
      };
      const region = await regionOfZone(context, call, zone);
      return volumeFrom(await client.send(call, "disks.create", region, body, disk));
    },
    claimWarmVolume: async ({ pool, instanceId, signal }) => {
      const call = { operation: "claimWarmVolume", signal };
      checkedText(call.operation, "pool", pool);
      checkedText(call.operation, "instanceId", instanceId);
      // Null is an answer here, and not the absence of the instance.
      const { claimed } = await inRegionsOrThrow(context, call, instanceId, "mem", async (region, nativeId) => ({
        claimed: await claim(context, call, region, nativeId, pool),
      }));
      return claimed;
    },
    releaseWarmVolume: async (volumeId, { signal } = {}) => {
      const call = { operation: "releaseWarmVolume", signal };
      await inRegions(volumeId, "memdisk", context.regions, (region, id) =>
        client.send(call, "disks.release", region, { id }, anything),
      );
    },
  };
}

/**
 * Tries the pool's volumes one by one; the remote attaches one only if it is free at that moment, so that of two claims
 * one gets it. A listing may be late: those that it shows as free come first, and the others are tried too.
 */
async function claim(
  context: MemoryContext,
  call: Call,
  region: string,
  instance: string,
  pool: string,
): Promise<Volume | null> {
  const { client, owner } = context;
  const rows = await client.sendAll(call, "disks.list", region, owner, diskPage, { helper: true });
  const foreign = new Set<string>();
  const ofPool = rows.filter((row) => row.pool === pool);
  const [free, others] = [ofPool.filter(isFree), ofPool.filter((row) => !isFree(row))];
  for (const row of [...free, ...others]) {
    if (foreign.has(row.zone)) continue;
    const body = { id: row.id, machine: instance, path: MOUNT_PATH };
    try {
      return volumeFrom(await client.send(call, "disks.attach", region, body, disk));
    } catch (error) {
      if (!passesBy(error, row, foreign)) throw error;
    }
  }
  // None was free. That is an answer only if the instance is there.
  await client.send(call, "machines.read", region, { id: instance }, machine, { helper: true });
  return null;
}

function isFree({ state }: WireDisk): boolean {
  return state === "free";
}

/** Another claim was faster, or it stands in another zone than the instance. */
function passesBy(error: unknown, row: WireDisk, foreign: Set<string>): boolean {
  if (!isProviderError(error)) return false;
  if (error.native?.code === "place-mismatch") foreign.add(row.zone);
  return error.native?.code === "not-free" || error.native?.code === "place-mismatch";
}
