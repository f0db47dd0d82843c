import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  type CallOptions,
  type CreateSnapshotOptions,
  isKey,
  isProviderError,
  nameFor,
  ProviderError,
  type Snapshot,
  type SnapshotFilter,
  type SnapshotMethods,
  type SnapshotStatus,
} from "@slipway/core";
import { withEffect } from "@slipway/provider-kit/errors";
import type { Call } from "../call.ts";
import { isMachineId, type OrbstackContext, timeIn } from "../context.ts";
import { PROVIDER, refusal, wentAway } from "../errors.ts";
import { mustFind } from "../lookup.ts";
import {
  isNamedBy,
  isOurUser,
  isSnapshotName,
  parseSnapshotTag,
  type SnapshotTag,
  snapshotNameOf,
  snapshotTagPath,
} from "../tags.ts";
import { removeMachine } from "../terminate.ts";
import { standingStill } from "../transition.ts";
import type { WireMachine } from "../wire.ts";

/** A copy of a machine, which stays stopped. */
export interface OrbstackSnapshot extends Snapshot {
  /** The copy's name in OrbStack. */
  readonly machineName: string;
}

const PATIENCE_MS = 120_000;
const STATUSES: ReadonlyMap<string, SnapshotStatus> = new Map([
  ["creating", "pending"],
  ["provisioning", "pending"],
  ["stopped", "available"],
]);

export function snapshotMethods(context: OrbstackContext): SnapshotMethods<OrbstackSnapshot> {
  return {
    createSnapshot: (instanceId, options) => createSnapshot(context, instanceId, options),
    getSnapshotStatus: async (id, { signal } = {}) => {
      const machine = await findSnapshot(context, { operation: "getSnapshotStatus", signal }, id);
      return machine === null ? null : statusOf(machine);
    },
    deleteSnapshot: (id, call) => deleteSnapshot(context, id, call),
    listSnapshots: (filter, call) => listSnapshots(context, filter, call),
  };
}

/** One that somebody has started is no copy of that moment any more. */
function statusOf({ state }: WireMachine): SnapshotStatus {
  return STATUSES.get(state) ?? "failed";
}

function isSnapshot({ name, config }: WireMachine): boolean {
  return isSnapshotName(name) && isOurUser(config.default_username);
}

async function findSnapshot({ client }: OrbstackContext, call: Call, id: string): Promise<WireMachine | null> {
  const info = isMachineId(id) ? await client.machine(call, id) : null;
  return info !== null && info.record.id === id && isSnapshot(info.record) ? info.record : null;
}

async function createSnapshot(
  context: OrbstackContext,
  instanceId: string,
  { key, name: displayName, signal }: CreateSnapshotOptions,
): Promise<OrbstackSnapshot> {
  const call: Call = { operation: "createSnapshot", signal };
  if (!isKey(key)) throw refusal("INVALID_SPEC", call.operation, "key must be 1 to 128 printable ASCII characters");
  const name = snapshotNameOf(nameFor(context.owner, key));
  return await context.keyedMutex(name, call, async () => {
    const there = await standing(context, call, name, { instanceId, key });
    if (there !== null) return there;
    const { info } = await mustFind(context, call, instanceId);
    const source = await standingStill(context, call, info, PATIENCE_MS);
    if (source === null) throw refusal("NOT_FOUND", call.operation, `there is no instance ${instanceId}`);
    const tag: SnapshotTag = { name, owner: context.owner, key, instanceId, displayName };
    await writeSnapshotTag(context, call, source.record, tag);
    const made = await context.making(call, () => copied(context, call, source.record, tag));
    const found = made ?? (await standing(context, call, name, { instanceId, key }));
    if (found !== null) return found;
    throw refusal("BUSY", call.operation, `OrbStack says that ${name} is there, and does not show it`, {
      hint: "It is being made or removed: try again in a moment.",
    });
  });
}

/** The copy takes the tag with it. One without an answer is looked up by its name; null if somebody else has made one. */
async function copied(
  { client }: OrbstackContext,
  call: Call,
  source: WireMachine,
  tag: SnapshotTag,
): Promise<OrbstackSnapshot | null> {
  let failed: ProviderError | undefined;
  try {
    await client.clone(call, source.name, tag.name);
  } catch (error) {
    if (isProviderError(error) && error.native?.code === "name-taken") return null;
    if (!isProviderError(error) || error.effect === "none" || call.signal?.aborted === true) throw error;
    failed = error;
  }
  const made = await client.machine(call, tag.name).catch((error: unknown) => {
    throw failed ?? (isProviderError(error) ? withEffect(error, "applied") : error);
  });
  if (made !== null) return snapshotFrom(made.record, tag);
  throw failed ?? wentAway(call, tag.name);
}

/** What has the key's name, if it is a copy of that instance; null if nothing has it. One that is on its way is waited for. */
async function standing(
  context: OrbstackContext,
  call: Call,
  name: string,
  { instanceId, key }: Pick<SnapshotTag, "instanceId" | "key">,
): Promise<OrbstackSnapshot | null> {
  const there = await context.client.machine(call, name);
  const still = there === null ? null : await standingStill(context, call, there, PATIENCE_MS);
  if (still === null) return null;
  const { record } = still;
  const { tag, isUnreadable } = await tagOf(context, call, record);
  if (isSnapshot(record) && tag?.instanceId === instanceId) return snapshotFrom(record, tag);
  if (isUnreadable) {
    throw refusal("UNAVAILABLE", call.operation, `of which instance ${record.id} is a snapshot cannot be read now`, {
      hint: "Try again in a moment.",
      nativeId: record.id,
    });
  }
  const whose = tag === null ? "of no known instance" : "of another instance";
  throw refusal("CONFLICT", call.operation, `the key ${JSON.stringify(key)} stands for a snapshot ${whose}`, {
    nativeId: record.id,
  });
}

async function deleteSnapshot(context: OrbstackContext, id: string, { signal }: CallOptions = {}): Promise<void> {
  const call: Call = { operation: "deleteSnapshot", signal };
  await context.keyedMutex(id, call, async () => {
    const info = isMachineId(id) ? await context.client.machine(call, id) : null;
    if (info === null || info.record.id !== id) return;
    if (!isSnapshot(info.record)) {
      throw refusal("CONFLICT", call.operation, `${id} is no snapshot of Slipway's: it is left alone`, {
        nativeId: id,
      });
    }
    await removeMachine(context, call, info);
  });
}

async function listSnapshots(
  context: OrbstackContext,
  { instanceId, owner = context.owner }: SnapshotFilter = {},
  { signal }: CallOptions = {},
): Promise<readonly OrbstackSnapshot[]> {
  const call: Call = { operation: "listSnapshots", signal };
  const found: OrbstackSnapshot[] = [];
  for (const machine of await context.client.machines(call)) {
    if (!isSnapshot(machine) || machine.state === "deleting") continue;
    if (owner !== "*" && !isNamedBy(owner, machine.name)) continue;
    const { tag } = await tagOf(context, call, machine);
    const snapshot = snapshotFrom(machine, tag);
    if (instanceId === undefined || snapshot.instanceId === instanceId) found.push(snapshot);
  }
  return found;
}

async function tagOf(
  { tags }: OrbstackContext,
  call: Call,
  machine: WireMachine,
): Promise<{ readonly tag: SnapshotTag | null; readonly isUnreadable: boolean }> {
  const { text, isUnreadable } = await tags.text(call, machine, snapshotTagPath(machine.name));
  const tag = parseSnapshotTag(text ?? "");
  return { tag: tag?.name === machine.name ? tag : null, isUnreadable };
}

function snapshotFrom(machine: WireMachine, tag: SnapshotTag | null): OrbstackSnapshot {
  return {
    id: machine.id,
    provider: PROVIDER,
    status: statusOf(machine),
    key: tag?.key ?? null,
    owner: tag?.owner ?? null,
    ...(tag?.displayName === undefined ? {} : { name: tag.displayName }),
    instanceId: tag?.instanceId ?? null,
    createdAt: timeIn(machine.id),
    machineName: machine.name,
  };
}

const INSIDE_MS = 30_000;
const WRITE: string = [
  "umask 022",
  'mkdir -p "${1%/*}" || exit 73',
  'cat >"$1.new-$$" || exit 74',
  'mv -f "$1.new-$$" "$1" || exit 73',
].join("\n");

/** Written into the instance before it is copied, since a copy cannot be written to without a start. It is small, and stays. */
async function writeSnapshotTag(
  { client }: OrbstackContext,
  call: Call,
  { name, state }: WireMachine,
  tag: SnapshotTag,
): Promise<void> {
  const text = `${JSON.stringify(tag)}\n`;
  const path = snapshotTagPath(tag.name);
  if (state !== "running") return await pushed(text, (source) => client.push(call, name, source, path));
  const { exitCode, stderr } = await client.run(call, name, ["/bin/sh", "-c", WRITE, "slipway-tag", path], {
    stdin: text,
    timeoutMs: INSIDE_MS,
    // A file of ours in a machine of ours: nothing that anybody sees was made.
    reads: true,
  });
  if (exitCode === 0) return;
  throw new ProviderError("UNAVAILABLE", {
    message: `${name} could not be tagged before its copy (exit code ${exitCode}): ${stderr.trim().slice(0, 200)}`,
    provider: PROVIDER,
    operation: call.operation,
    effect: "none",
  });
}

async function pushed(text: string, push: (source: string) => Promise<void>): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "slipway-tag-"));
  try {
    const source = join(folder, "tag.json");
    writeFileSync(source, text, { mode: 0o644 });
    await push(source);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
