import { lstat, rm, rmdir, symlink } from "node:fs/promises";
import { dirname, join } from "node:path";
import { makeBindTarget, type SandboxBind } from "@slipway/provider-kit/sandbox";
import { type LocalContext, nameOf } from "../context.ts";
import { failure, systemCode } from "../errors.ts";
import { sight } from "../instance.ts";
import type { LocalRequest } from "../request.ts";
import { makeDirectory } from "../state/durable-file.ts";
import type { InstanceRecord } from "../state/records.ts";
import { contentOf, type State } from "../state/state.ts";

/**
 * Runs `attach`, which writes the instance's record, while nobody else attaches or deletes one of its volumes. Which
 * volume is attached where is told by the instances' records alone, so there is no second truth to keep in step. Throws
 * NOT_FOUND for a volume that is not there and INVALID_STATE for one that another instance has.
 */
export async function attachable<T>(
  context: LocalContext,
  { options }: LocalRequest,
  attach: () => Promise<T>,
): Promise<T> {
  const ids = (options.volumes ?? []).map(({ id }) => id);
  if (new Set(ids).size !== ids.length) throw failure("bad-request", "spawn", "a volume can be mounted once only");
  // In one order for everybody, or two spawns could wait for each other.
  const names = ids.map((id) => volumeName(id)).sort();
  const under = (left: readonly string[]): Promise<T> => {
    const [name, ...rest] = left;
    if (name === undefined) return checked(context, ids, attach);
    const call = { operation: "spawn", signal: options.signal };
    return context.state.locked("volumes", name, call, () => under(rest));
  };
  return await under(names);
}

async function checked<T>({ state }: LocalContext, ids: readonly string[], attach: () => Promise<T>): Promise<T> {
  for (const id of ids) {
    const record = await state.volumes.read(volumeName(id), "spawn");
    if (record?.id !== id) throw failure("unknown-volume", "spawn", `there is no volume ${JSON.stringify(id)}`);
  }
  const attachments = ids.length === 0 ? new Map<string, string>() : await attachmentsOf(state, "spawn");
  for (const id of ids) {
    const holder = attachments.get(id);
    if (holder === undefined) continue;
    throw failure("volume-attached", "spawn", `volume ${id} is attached to ${holder}`, { id: holder });
  }
  return await attach();
}

/** Volume id -> the instance that has it. An instance that has ended holds none. */
export async function attachmentsOf(state: State, operation: string): Promise<ReadonlyMap<string, string>> {
  const attachments = new Map<string, string>();
  for (const record of await state.instances.list(operation)) {
    if (record.volumes.length === 0 || (await sight(state, record)).status === "terminated") continue;
    for (const { id } of record.volumes) attachments.set(id, record.id);
  }
  return attachments;
}

/** Host directories and where the instance finds them. */
export function bindsOf(state: State, volumes: InstanceRecord["volumes"]): readonly SandboxBind[] {
  return volumes.map(({ id, mountPath }) => ({ source: contentOf(state.volumes, volumeName(id)), target: mountPath }));
}

/**
 * Without a mount namespace a link below the instance's root stands for the mount. Throws INVALID_SPEC if its place is
 * taken, or what was restored leads to it through a link.
 */
export async function linkVolumes(root: string, binds: readonly SandboxBind[]): Promise<void> {
  if (binds.length > 0) await makeDirectory(root);
  for (const { source, target } of binds) {
    const place = join(root, target);
    makeBindTarget(root, dirname(target), true);
    if ((await lstat(place).catch(() => null))?.isSymbolicLink() === true) await rm(place);
    await rmdir(place).catch((error: unknown) => {
      if (systemCode(error) === "ENOENT") return;
      throw failure("bad-request", "spawn", `the mountPath ${target} is in use`);
    });
    await symlink(source, place);
  }
}

function volumeName(id: string): string {
  const name = nameOf(id);
  if (name === null) throw failure("unknown-volume", "spawn", `there is no volume ${JSON.stringify(id)}`);
  return name;
}
