import type { Call, VolumeDriver } from "@slipway/provider-kit/driver";
import { isId, type RunpodContext } from "./context.ts";
import { refusal } from "./errors.ts";
import { isTerminated, volumesOf } from "./instance.ts";
import type { WireNetworkVolume } from "./wire.ts";

const GIGABYTE = 1_000_000_000;
const LEAST_GB = 10;
const MOST_GB = 4_096;

/** RunPod's network volumes. They cost by their size whether mounted or not, and keep nothing but their name. */
export function runpodVolumes(context: RunpodContext): VolumeDriver<WireNetworkVolume> {
  const { client } = context;
  return {
    isId,
    list: (call) => client.volumes(call),
    identify: ({ id, name, dataCenter, size }) => ({ id, name, region: dataCenter, sizeBytes: size * GIGABYTE }),
    roundSize: (call, sizeBytes) => {
      const size = Math.ceil(sizeBytes / GIGABYTE);
      if (size >= LEAST_GB && size <= MOST_GB) return size * GIGABYTE;
      const message = `sizeBytes is ${size} GB, and a network volume has ${LEAST_GB} to ${MOST_GB} GB`;
      throw refusal("INVALID_SPEC", call.operation, message);
    },
    // RunPod does not tell when a volume was made.
    toVolume: (_, base, attachedTo) => ({
      ...base,
      status: attachedTo === null ? "available" : "attached",
      attachedTo,
      createdAt: null,
    }),
    create: async (call, { name, sizeBytes, region }) => {
      const dataCenter = region ?? context.dataCenters?.[0] ?? (await anyDataCenter(context, call));
      return { volume: await client.createVolume(call, { name, size: sizeBytes / GIGABYTE, dataCenter }) };
    },
    destroy: (call, id) => client.removeVolume(call, id),
    // RunPod's own refusal is not documented, and a volume that is pulled away from a pod takes its data along.
    guardsAttached: true,
    attachments: async (call, volumes) => {
      const pods = volumes.length === 0 ? [] : await client.pods(call);
      return new Map(
        pods
          .filter((pod) => !isTerminated(pod))
          .flatMap((pod) => volumesOf(pod).map((volumeId) => [volumeId, pod.id] as const)),
      );
    },
  };
}

/** The first that takes network volumes. */
async function anyDataCenter(context: RunpodContext, call: Call): Promise<string> {
  const centres = await context.client.dataCenters(call);
  const able = centres.find(({ networkVolumeTypes = [] }) => networkVolumeTypes.length > 0);
  if (able !== undefined) return able.id;
  throw refusal("INVALID_SPEC", call.operation, "region: RunPod tells no data centre that takes network volumes");
}
