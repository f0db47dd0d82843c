import { mkdir, statfs } from "node:fs/promises";
import { join } from "node:path";
import {
  type CallOptions,
  type CreateVolumeOptions,
  nameFor,
  timestamp,
  type Volume,
  type VolumeFilter,
  type VolumeMethods,
} from "@slipway/core";
import { isOneOf } from "@slipway/provider-kit/filters";
import { type LocalContext, nameOf, newId } from "../context.ts";
import { failure, PROVIDER_NAME, translated } from "../errors.ts";
import type { VolumeRecord } from "../state/records.ts";
import { CONTENT } from "../state/state.ts";
import { attachmentsOf } from "./volume-attachment.ts";

/** Volumes as directories. Their size is checked against the free space when they are made, and kept by nothing after. */
export function volumeMethods(context: LocalContext): VolumeMethods {
  return {
    createVolume: (options) => createVolume(context, options),
    listVolumes: (filter) => listVolumes(context, filter),
    deleteVolume: (id, call) => deleteVolume(context, id, call),
  };
}

async function createVolume(context: LocalContext, options: CreateVolumeOptions): Promise<Volume> {
  for (const place of ["region", "zone"] as const) {
    if (options[place] === undefined) continue;
    throw failure("bad-request", "createVolume", `${place} is not known here: there is this machine and no other`);
  }
  const { state, owner } = context;
  const name = nameFor(owner, options.key);
  const call = { operation: "createVolume", signal: options.signal };
  const record = await state.locked("volumes", name, call, async () => {
    try {
      return await existingOrNew(context, name, options);
    } catch (error) {
      throw translated(error, "createVolume", "none");
    }
  });
  return await told(context, record);
}

async function existingOrNew(
  { state, owner, clock }: LocalContext,
  name: string,
  { key, sizeBytes }: CreateVolumeOptions,
): Promise<VolumeRecord> {
  const existing = await state.volumes.read(name, "createVolume");
  if (existing !== null && existing.sizeBytes !== sizeBytes) {
    const message = `the key ${JSON.stringify(key)} stands for a volume of ${existing.sizeBytes} bytes`;
    throw failure("other-spec", "createVolume", message, { id: existing.id });
  }
  if (existing !== null) return existing;
  await assertRoom(state.directory, sizeBytes);
  const record: VolumeRecord = { version: 1, id: newId(name), owner, key, createdAt: timestamp(clock), sizeBytes };
  await state.volumes.create(name, record, (directory) => mkdir(join(directory, CONTENT), { mode: 0o755 }));
  return record;
}

async function assertRoom(directory: string, sizeBytes: number): Promise<void> {
  const { bavail, bsize } = await statfs(directory);
  const free = bavail * bsize;
  if (sizeBytes <= free) return;
  throw failure("no-space", "createVolume", `${sizeBytes} bytes were asked for, and ${directory} has ${free} left`);
}

async function listVolumes(context: LocalContext, filter: VolumeFilter = {}): Promise<readonly Volume[]> {
  const { owner = context.owner } = filter;
  const [isId, isKey] = [isOneOf(filter.ids), isOneOf(filter.keys)];
  try {
    const records = await context.state.volumes.list("listVolumes");
    const attachments = await attachmentsOf(context.state, "listVolumes");
    return records
      .filter((record) => owner === "*" || record.owner === owner)
      .filter((record) => isId(record.id) && isKey(record.key))
      .map((record) => volumeOf(record, attachments.get(record.id) ?? null));
  } catch (error) {
    throw translated(error, "listVolumes", "none");
  }
}

async function deleteVolume({ state }: LocalContext, id: string, call: CallOptions = {}): Promise<void> {
  const name = nameOf(id);
  if (name === null) return;
  await state.locked("volumes", name, { operation: "deleteVolume", signal: call.signal }, async () => {
    try {
      const record = await state.volumes.read(name, "deleteVolume");
      if (record !== null && record.id !== id) return;
      const holder = record === null ? undefined : (await attachmentsOf(state, "deleteVolume")).get(id);
      if (holder !== undefined) {
        throw failure("volume-attached", "deleteVolume", `volume ${id} is attached to ${holder}`, { id: holder });
      }
      await state.volumes.remove(name);
    } catch (error) {
      throw translated(error, "deleteVolume", "unknown");
    }
  });
}

async function told({ state }: LocalContext, record: VolumeRecord): Promise<Volume> {
  return volumeOf(record, (await attachmentsOf(state, "createVolume")).get(record.id) ?? null);
}

function volumeOf(record: VolumeRecord, attachedTo: string | null): Volume {
  return {
    id: record.id,
    provider: PROVIDER_NAME,
    status: attachedTo === null ? "available" : "attached",
    key: record.key,
    owner: record.owner,
    sizeBytes: record.sizeBytes,
    attachedTo,
    createdAt: record.createdAt,
  };
}
