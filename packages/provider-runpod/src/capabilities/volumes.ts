import {
  isProviderError,
  nameFor,
  namePrefixFor,
  type Operation,
  type Volume,
  type VolumeMethods,
} from "@slipway/core";
import type { Call } from "../client.ts";
import { isId, type RunpodContext } from "../context.ts";
import { PROVIDER, refusal } from "../errors.ts";
import { isTerminated, volumesOf } from "../instance.ts";
import { listedSoFar } from "../look-up.ts";
import { checkPlace } from "../request.ts";
import type { WireNetworkVolume, WirePod } from "../wire.ts";

// Network volumes have no tags and no environment: their name is all that can hold owner and key, as hashes.
const NAME = /^slip-[a-z2-7]{8}-[a-z2-7]{20}$/;
const GIGABYTE = 1_000_000_000;
const LEAST_GB = 10;
const MOST_GB = 4_096;

/** RunPod's network volumes. They cost by their size whether mounted or not. */
export function volumeMethods(context: RunpodContext): VolumeMethods {
  return {
    createVolume: async ({ key, sizeBytes, region, zone, signal }) => {
      const call: Call = { operation: "createVolume", signal };
      if (zone !== undefined) throw refusal("INVALID_SPEC", call.operation, "zone: RunPod has none, give a region");
      checkPlace(context, call.operation, { region });
      const wanted = { key, size: gigabytes(sizeBytes, call.operation), region };
      return await context.inTurn(`volume ${key}`, call, () => created(context, call, wanted));
    },
    listVolumes: async (filter = {}, { signal } = {}) => {
      const call: Call = { operation: "listVolumes", signal };
      const { owner = context.owner, keys, ids } = filter;
      const rows = (await context.client.volumes(call)).filter(
        ({ id, name }) => NAME.test(name) && (owner === "*" || isOf(name, owner)) && (ids?.includes(id) ?? true),
      );
      const pods = rows.length === 0 ? [] : await context.client.pods(call);
      const owners = [context.owner, owner].filter((each) => each !== "*");
      return rows
        .map((row) => volumeFrom(row, pods, { owner: ownerOf(row, owners), key: keyOf(row, keys) }))
        .filter((volume) => keys === undefined || volume.key !== null);
    },
    deleteVolume: async (id, { signal } = {}) => {
      if (!isId(id)) return;
      const call: Call = { operation: "deleteVolume", signal };
      const found = (await context.client.volumes(call)).find((row) => row.id === id);
      if (found !== undefined && !NAME.test(found.name)) {
        throw refusal("CONFLICT", call.operation, `the volume ${id} was not made by Slipway: it is left alone`, {
          nativeId: id,
        });
      }
      await checkFree(context, call, id);
      try {
        await context.client.removeVolume(call, id);
      } catch (error) {
        if (!isProviderError(error, "NOT_FOUND")) throw error;
      }
      context.created.ended(id);
    },
  };
}

interface Wanted {
  readonly key: string;
  /** GB. */
  readonly size: number;
  readonly region: string | undefined;
}

function gigabytes(sizeBytes: number, operation: Operation): number {
  const size = Math.ceil(sizeBytes / GIGABYTE);
  if (size >= LEAST_GB && size <= MOST_GB) return size;
  throw refusal(
    "INVALID_SPEC",
    operation,
    `sizeBytes is ${size} GB, and a network volume has ${LEAST_GB} to ${MOST_GB} GB`,
  );
}

async function created(context: RunpodContext, call: Call, wanted: Wanted): Promise<Volume> {
  const marks = { owner: context.owner, key: wanted.key };
  const name = nameFor(context.owner, wanted.key);
  const [there] = await listedSoFar(context.created, context, call, wanted.key, async () =>
    (await context.client.volumes(call))
      .filter((row) => row.name === name && !context.created.isEnded(row.id))
      .sort((a, b) => (a.id < b.id ? -1 : 1)),
  );
  if (there !== undefined) {
    checkSame(there, wanted, call.operation);
    return volumeFrom(there, await context.client.pods(call), marks);
  }
  const dataCenter = wanted.region ?? context.dataCenters?.[0] ?? (await anyDataCenter(context, call));
  try {
    const made = await context.client.createVolume(call, { name, size: wanted.size, dataCenter });
    context.created.made(wanted.key, made);
    return volumeFrom(made, [], marks);
  } catch (error) {
    if (!isProviderError(error) || error.effect !== "none") context.created.unclear(wanted.key);
    throw error;
  }
}

function checkSame(row: WireNetworkVolume, { key, size, region }: Wanted, operation: Operation): void {
  const other = row.size === size ? (region === undefined || row.dataCenter === region ? undefined : "region") : "size";
  if (other === undefined) return;
  const message = `a volume of another ${other} stands under the key ${JSON.stringify(key)}: ${row.id}`;
  throw refusal("CONFLICT", operation, message, { nativeId: row.id });
}

/** The first that takes network volumes. */
async function anyDataCenter(context: RunpodContext, call: Call): Promise<string> {
  const centres = await context.client.dataCenters(call);
  const able = centres.find(({ networkVolumeTypes = [] }) => networkVolumeTypes.length > 0);
  if (able !== undefined) return able.id;
  throw refusal("INVALID_SPEC", call.operation, "region: RunPod tells no data centre that takes network volumes");
}

/** RunPod's own refusal is not documented, and a volume that is pulled away from a pod takes its data along. */
async function checkFree(context: RunpodContext, call: Call, id: string): Promise<void> {
  const user = userOf(id, await context.client.pods(call));
  if (user === null) return;
  throw refusal("INVALID_STATE", call.operation, `the volume ${id} is mounted by the pod ${user}`, {
    hint: "Terminate that pod first: a network volume cannot be taken off a pod.",
    nativeId: user,
  });
}

function volumeFrom(
  row: WireNetworkVolume,
  pods: readonly WirePod[],
  marks: { readonly owner: string | null; readonly key: string | null },
): Volume {
  const attachedTo = userOf(row.id, pods);
  return {
    id: row.id,
    provider: PROVIDER,
    status: attachedTo === null ? "available" : "attached",
    ...marks,
    sizeBytes: row.size * GIGABYTE,
    ...(row.dataCenter === undefined ? {} : { region: row.dataCenter }),
    attachedTo,
    // RunPod does not tell when a volume was made.
    createdAt: null,
  };
}

function userOf(volumeId: string, pods: readonly WirePod[]): string | null {
  return pods.find((pod) => !isTerminated(pod) && volumesOf(pod).includes(volumeId))?.id ?? null;
}

function isOf(name: string, owner: string): boolean {
  return name.startsWith(namePrefixFor(owner));
}

/** The name holds a hash: an owner can be recognised, and not be read. */
function ownerOf({ name }: WireNetworkVolume, known: readonly string[]): string | null {
  return known.find((owner) => isOf(name, owner)) ?? null;
}

function keyOf({ name }: WireNetworkVolume, keys: readonly string[] = []): string | null {
  const hash = name.slice(namePrefixFor("").length);
  return keys.find((key) => nameFor("", key).endsWith(hash)) ?? null;
}
