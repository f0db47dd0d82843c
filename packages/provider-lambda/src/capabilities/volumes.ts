import {
  isProviderError,
  nameFor,
  namePrefixFor,
  type Operation,
  type Volume,
  type VolumeMethods,
} from "@slipway/core";
import { type Call, isNotThere } from "../client.ts";
import { isId, type LambdaContext } from "../context.ts";
import { PROVIDER, refusal } from "../errors.ts";
import { statusOf } from "../instance.ts";
import { checkPlace } from "../request.ts";
import type { WireFileSystem, WireInstance } from "../wire.ts";

// Filesystems have no tags and no size: the name is all that can hold owner, key and the size that was asked for.
const NAME = /^(slip-[a-z2-7]{8}-)([a-z2-7]{20})-([0-9a-z]{1,11})$/;

/** Lambda's filesystems: they grow as they are filled, and are paid by what is in them. */
export function volumeMethods(context: LambdaContext): VolumeMethods {
  return {
    createVolume: async ({ key, sizeBytes, region, zone, signal }) => {
      const call: Call = { operation: "createVolume", signal };
      if (zone !== undefined) throw refusal("INVALID_SPEC", call.operation, "zone: Lambda has none, give a region");
      checkPlace(context, call.operation, { region });
      return await context.inTurn(`volume ${key}`, call, () =>
        created(context, call, { key, sizeBytes, region: region ?? context.regions[0], fixed: region !== undefined }),
      );
    },
    listVolumes: async (filter = {}, { signal } = {}) => {
      const call: Call = { operation: "listVolumes", signal };
      const { owner = context.owner, keys, ids } = filter;
      const rows = (await context.client.fileSystems(call)).filter(
        ({ id, name }) =>
          (owner === "*" ? NAME.test(name) : isOf(name, owner)) && (ids === undefined || ids.includes(id)),
      );
      const used = rows.some(({ is_in_use }) => is_in_use === true) ? await context.client.instances(call) : [];
      return rows
        .map((row) => volumeFrom(row, used, { owner: ownerOf(row, context.owner, owner), key: keyOf(row, keys) }))
        .filter(({ key }) => keys === undefined || key !== null);
    },
    deleteVolume: async (id, { signal } = {}) => {
      if (!isId(id)) return;
      const call: Call = { operation: "deleteVolume", signal };
      const found = (await context.client.fileSystems(call)).find((row) => row.id === id);
      if (found !== undefined && !NAME.test(found.name)) {
        throw refusal(
          "CONFLICT",
          call.operation,
          `the filesystem ${found.name} was not made by Slipway: it is left alone`,
          {
            nativeId: id,
          },
        );
      }
      try {
        await context.client.deleteFileSystem(call, id);
      } catch (error) {
        if (!isNotThere(error)) throw error;
      }
      context.created.drop(id);
    },
  };
}

interface Wanted {
  readonly key: string;
  readonly sizeBytes: number;
  readonly region: string;
  /** The caller named the region. */
  readonly fixed: boolean;
}

async function created(context: LambdaContext, call: Call, wanted: Wanted): Promise<Volume> {
  const marks = { owner: context.owner, key: wanted.key };
  const there = await lookedUp(context, call, wanted);
  if (there !== null) return volumeFrom(there, [], marks);
  const name = `${nameFor(context.owner, wanted.key)}-${wanted.sizeBytes.toString(36)}`;
  try {
    const made = await context.client.createFileSystem(call, name, wanted.region);
    context.created.add(wanted.key, made.id, made);
    return volumeFrom(made, [], marks);
  } catch (error) {
    if (!isProviderError(error, "CONFLICT")) throw error;
    // Another process was quicker: the name is taken, and it is this very one.
    const winner = await lookedUp(context, call, wanted);
    if (winner === null) throw error;
    return volumeFrom(winner, [], marks);
  }
}

/** The key's filesystem; null if there is none. CONFLICT for another size or region. */
async function lookedUp(context: LambdaContext, call: Call, wanted: Wanted): Promise<WireFileSystem | null> {
  const prefix = `${nameFor(context.owner, wanted.key)}-`;
  const rows = await context.client.fileSystems(call);
  const row =
    rows.find(({ name }) => NAME.test(name) && name.startsWith(prefix)) ?? context.created.find(wanted.key)?.thing;
  if (row === undefined) return null;
  if (sizeOf(row.name) !== wanted.sizeBytes) throw conflict(call.operation, wanted.key, "size", row.id);
  if (wanted.fixed && row.region !== undefined && row.region.name !== wanted.region) {
    throw conflict(call.operation, wanted.key, "region", row.id);
  }
  return row;
}

function conflict(operation: Operation, key: string, what: string, nativeId: string): Error {
  const message = `a volume of another ${what} stands under the key ${JSON.stringify(key)}: ${nativeId}`;
  return refusal("CONFLICT", operation, message, { nativeId });
}

function volumeFrom(
  row: WireFileSystem,
  instances: readonly WireInstance[],
  marks: { readonly owner: string | null; readonly key: string | null },
): Volume {
  const attachedTo = instances.find((instance) => uses(instance, row))?.id ?? null;
  const createdAt = row.created === undefined ? Number.NaN : Date.parse(row.created);
  return {
    id: row.id,
    provider: PROVIDER,
    status: row.is_in_use === true ? "attached" : "available",
    ...marks,
    sizeBytes: sizeOf(row.name),
    ...(row.region === undefined ? {} : { region: row.region.name }),
    attachedTo,
    createdAt: Number.isNaN(createdAt) ? null : new Date(createdAt).toISOString(),
  };
}

function uses(instance: WireInstance, { id, name }: WireFileSystem): boolean {
  if (statusOf(instance.status) === "terminated") return false;
  const { file_system_names = [], file_system_mounts = [] } = instance;
  return file_system_names.includes(name) || file_system_mounts.some(({ file_system_id }) => file_system_id === id);
}

function sizeOf(name: string): number {
  return Number.parseInt(NAME.exec(name)?.[3] ?? "0", 36);
}

function isOf(name: string, owner: string): boolean {
  return NAME.exec(name)?.[1] === namePrefixFor(owner);
}

/** The name holds a hash: an owner can be recognised, and not be read. */
function ownerOf({ name }: WireFileSystem, ...known: readonly string[]): string | null {
  return known.find((owner) => owner !== "*" && isOf(name, owner)) ?? null;
}

function keyOf({ name }: WireFileSystem, keys: readonly string[] | undefined): string | null {
  const hash = NAME.exec(name)?.[2];
  return keys?.find((key) => nameFor("any", key).endsWith(`-${hash}`)) ?? null;
}
