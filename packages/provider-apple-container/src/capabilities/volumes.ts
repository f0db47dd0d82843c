import {
  type CreateVolumeOptions,
  isProviderError,
  nameFor,
  ProviderError,
  type Volume,
  type VolumeMethods,
  type VolumeMount,
} from "@slipway/core";
import type { Call } from "@slipway/provider-kit/driver";
import { isOneOf } from "@slipway/provider-kit/filters";
import { type AppleContainerContext, formatId } from "../context.ts";
import { PROVIDER, refusal } from "../errors.ts";
import { timeOf, volumesOf } from "../instance.ts";
import { decodeLabel, encodeLabel, OURS, tagsOf } from "../tags.ts";
import type { WireContainer, WireVolume } from "../wire.ts";

const OWNER = `${OURS}owner`;
const KEY = `${OURS}key`;
/** As it was asked for: what a repeated key compares. */
const SIZE = `${OURS}size`;
// The command's own rule.
const NAME = /^[A-Za-z0-9][A-Za-z0-9_.-]{0,254}$/;

/** The volumes of `container`: sparse disks, each for one running container at a time. */
export function volumeMethods(context: AppleContainerContext): VolumeMethods {
  return {
    createVolume: async (options) => {
      const { key, region, zone, signal } = options;
      const call: Call = { operation: "createVolume", signal };
      if (region !== undefined || zone !== undefined) {
        throw refusal("INVALID_SPEC", call.operation, "there is this Mac, and no region or zone");
      }
      return await context.keyedMutex(`volume ${key}`, call, () => created(context, call, options));
    },
    listVolumes: async (filter = {}, { signal } = {}) => {
      const call: Call = { operation: "listVolumes", signal };
      const { owner = context.owner, keys, ids } = filter;
      const rows = await context.client.volumes(call);
      const containers = await context.client.containers(call);
      const [isId, isKey] = [isOneOf(ids), isOneOf(keys)];
      return rows
        .filter((row) => isTagged(row, owner) && isId(row.configuration.name))
        .map((row) => volumeFrom(row, containers))
        .filter(({ key }) => isKey(key));
    },
    deleteVolume: async (id, { signal } = {}) => {
      if (!NAME.test(id)) return;
      const call: Call = { operation: "deleteVolume", signal };
      await context.keyedMutex(`volume ${id}`, call, () => deleted(context, call, id));
    },
  };
}

/** Every volume is there and free: the command would make a missing one, and mount one disk twice. */
export async function checkVolumes(
  { client }: AppleContainerContext,
  call: Call,
  mounts: readonly VolumeMount[],
): Promise<void> {
  if (mounts.length === 0) return;
  const rows = await client.volumes(call);
  const containers = await client.containers(call);
  for (const { id } of mounts) {
    if (!rows.some(({ configuration }) => configuration.name === id)) {
      throw refusal("INVALID_SPEC", call.operation, `there is no volume ${JSON.stringify(id)}`);
    }
    const holder = holderOf(id, containers);
    if (holder === undefined) continue;
    throw refusal("INVALID_STATE", call.operation, `the volume ${id} is attached to ${holder.id}`, {
      hint: "A volume is one disk, for one container at a time: terminate that one first.",
      nativeId: holder.id,
    });
  }
}

async function created(context: AppleContainerContext, call: Call, options: CreateVolumeOptions): Promise<Volume> {
  const { client, owner } = context;
  const { key, sizeBytes } = options;
  const name = nameFor(owner, key);
  const there = await lookedUp(context, call, name, options);
  if (there !== null) return volumeFrom(there, await client.containers(call));
  const labels = { [OWNER]: encodeLabel(owner), [KEY]: encodeLabel(key), [SIZE]: String(sizeBytes) };
  const failed = await client.createVolume(call, name, { sizeBytes, labels }).then(
    () => null,
    (error: unknown) => unclear(call, error),
  );
  // Also where another process was quicker, or the answer was lost.
  const made = await lookedUp(context, call, name, options).catch((error: unknown) => {
    if (isProviderError(error, "CONFLICT")) throw error;
    throw failed ?? unread(call, name, error);
  });
  if (made !== null) return volumeFrom(made, []);
  throw failed ?? unread(call, name);
}

/** An error after which only a look tells what is there; any other is thrown. */
function unclear(call: Call, error: unknown): ProviderError {
  if (!isProviderError(error) || call.signal?.aborted === true) throw error;
  if (error.effect === "none" && error.native?.code !== "volume-exists") throw error;
  return error;
}

function unread({ operation }: Call, name: string, cause?: unknown): ProviderError {
  return new ProviderError("UNAVAILABLE", {
    message: `the volume ${name} was made, and cannot be read`,
    provider: PROVIDER,
    operation,
    effect: "applied",
    hint: "Call again with the same key.",
    cause,
  });
}

/** The key's volume; null if there is none. CONFLICT for another size, and for an unmanaged volume of the name. */
async function lookedUp(
  { client, owner }: AppleContainerContext,
  call: Call,
  name: string,
  { key, sizeBytes }: CreateVolumeOptions,
): Promise<WireVolume | null> {
  const row = (await client.volumes(call)).find(({ configuration }) => configuration.name === name);
  if (row === undefined) return null;
  const { labels } = row.configuration;
  if (decodeLabel(labels[OWNER] ?? "") !== owner || decodeLabel(labels[KEY] ?? "") !== key) {
    throw refusal("CONFLICT", call.operation, `a volume that is not of this key is named ${name}`, { nativeId: name });
  }
  if (labels[SIZE] === String(sizeBytes)) return row;
  const message = `the key ${JSON.stringify(key)} has a volume of another size: ${name}`;
  throw refusal("CONFLICT", call.operation, message, { nativeId: name });
}

async function deleted({ client }: AppleContainerContext, call: Call, id: string): Promise<void> {
  const row = (await client.volumes(call)).find(({ configuration }) => configuration.name === id);
  if (row === undefined) return;
  if (!isTagged(row, "*")) {
    throw refusal("CONFLICT", call.operation, `the volume ${id} was not made by Slipway: it is left alone`, {
      nativeId: id,
    });
  }
  const holder = holderOf(id, await client.containers(call));
  if (holder !== undefined) {
    throw refusal("INVALID_STATE", call.operation, `the volume ${id} is attached to ${holder.id}`, {
      hint: "Terminate the instance that it is attached to.",
      nativeId: holder.id,
    });
  }
  try {
    await client.deleteVolume(call, id);
  } catch (error) {
    if (!isProviderError(error) || error.effect === "none" || call.signal?.aborted === true) throw error;
    const now = await client.volumes(call).catch(() => {
      throw error;
    });
    if (now.some(({ configuration }) => configuration.name === id)) throw error;
  }
}

function isTagged({ configuration: { labels } }: WireVolume, owner: string): boolean {
  const tagged = labels[OWNER];
  if (tagged === undefined || labels[KEY] === undefined) return false;
  return owner === "*" || decodeLabel(tagged) === owner;
}

/** A stopped container holds its volumes too: it may be started. */
function holderOf(name: string, containers: readonly WireContainer[]): WireContainer | undefined {
  return containers.find((container) => volumesOf(container).some((volume) => volume.name === name));
}

function volumeFrom({ configuration }: WireVolume, containers: readonly WireContainer[]): Volume {
  const { name, labels, sizeInBytes, creationDate } = configuration;
  const holder = holderOf(name, containers);
  const attachedTo = holder === undefined ? null : formatId(holder.id, tagsOf(holder)?.generation ?? "");
  return {
    id: name,
    provider: PROVIDER,
    status: attachedTo === null ? "available" : "attached",
    key: labels[KEY] === undefined ? null : decodeLabel(labels[KEY]),
    owner: labels[OWNER] === undefined ? null : decodeLabel(labels[OWNER]),
    sizeBytes: sizeInBytes ?? Number(labels[SIZE] ?? 0),
    attachedTo,
    createdAt: timeOf(creationDate),
  };
}
