import type { VolumeDriver } from "@slipway/provider-kit/driver";
import type { __Name__Client } from "../client/client.ts";
import { isId } from "../driver.ts";
import type { WireDisk } from "../wire.ts";

/** What is special about disks; their owner and key are in their names. */
// #if multiRegion
export function volumeDriver(client: __Name__Client, defaultRegion: string): VolumeDriver<WireDisk> {
// #else
export function volumeDriver(client: __Name__Client): VolumeDriver<WireDisk> {
// #end
  return {
    isId,
    list: (call) => client.disks(call),
    // #if multiRegion
    identify: ({ id, name, sizeBytes, region }) => ({ id, name, sizeBytes, region }),
    // #else
    identify: ({ id, name, sizeBytes }) => ({ id, name, sizeBytes }),
    // #end
    toVolume: ({ machine, createdAt }, base) => ({
      ...base,
      status: machine === null ? "available" : "attached",
      attachedTo: machine,
      createdAt,
    }),
    // #if multiRegion
    create: async (call, { name, sizeBytes, region = defaultRegion }) => ({
      volume: await client.createDisk(call, { name, sizeBytes, region }),
    }),
    // #else
    create: async (call, { name, sizeBytes }) => ({ volume: await client.createDisk(call, { name, sizeBytes }) }),
    // #end
    destroy: (call, id) => client.removeDisk(call, id),
    attachments: async (_, disks) =>
      new Map(disks.flatMap(({ id, machine }) => (machine === null ? [] : [[id, machine] as const]))),
  };
}
