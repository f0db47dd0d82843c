import {
  abortError,
  type CallOptions,
  type CreateSnapshotOptions,
  nameFor,
  type Snapshot,
  type SnapshotFilter,
  type SnapshotMethods,
  type SnapshotStatus,
  timestamp,
} from "@slipway/core";
import { detectIsolation, type IsolationTools } from "@slipway/provider-kit/sandbox";
import { type LocalContext, nameOf, newId } from "../context.ts";
import { copyTree } from "../copy-tree.ts";
import { failure, PROVIDER_NAME, translated } from "../errors.ts";
import type { LocalInstance } from "../instance.ts";
import { mustGet } from "../lookup.ts";
import type { SnapshotRecord } from "../state/records.ts";
import { contentOf } from "../state/state.ts";

/** A copy of an instance's root directory. Volumes are not in it. */
export interface LocalSnapshot extends Snapshot {
  /** Where the copy lies on this machine. */
  readonly contentDirectory: string;
}

/** Snapshots as copies of root directories. */
export function snapshotMethods(context: LocalContext): SnapshotMethods<LocalSnapshot> {
  return {
    createSnapshot: (instanceId, options) => createSnapshot(context, instanceId, options),
    getSnapshotStatus: async (id) => {
      const record = await snapshotOf(context, id, "getSnapshotStatus");
      return record === null ? null : await statusOf(context, record);
    },
    deleteSnapshot: (id, call) => deleteSnapshot(context, id, call),
    listSnapshots: (filter) => listSnapshots(context, filter),
  };
}

async function createSnapshot(
  context: LocalContext,
  instanceId: string,
  options: CreateSnapshotOptions,
): Promise<LocalSnapshot> {
  const { state, owner } = context;
  const name = nameFor(owner, options.key);
  const call = { operation: "createSnapshot", signal: options.signal };
  return await state.locked("snapshots", name, call, async () => {
    try {
      const existing = await state.snapshots.read(name, "createSnapshot");
      if (existing !== null && existing.instanceId !== instanceId) {
        const message = `the key ${JSON.stringify(options.key)} stands for a snapshot of ${existing.instanceId}`;
        throw failure("other-spec", "createSnapshot", message, { id: existing.id });
      }
      if (existing?.status === "available") return await told(context, existing);
      const instance = await mustGet(context, instanceId, "createSnapshot");
      // What a copy that was cut off has left.
      await state.snapshots.remove(name);
      return await told(context, await take(context, name, instance, options));
    } catch (error) {
      throw translated(error, "createSnapshot", "none");
    }
  });
}

async function take(
  context: LocalContext,
  name: string,
  { id: instanceId, rootDirectory, isolation }: LocalInstance,
  { key, name: displayName, signal }: CreateSnapshotOptions,
): Promise<SnapshotRecord> {
  const { state, owner, clock } = context;
  const pending: SnapshotRecord = {
    version: 1,
    id: newId(name),
    owner,
    key,
    createdAt: timestamp(clock),
    ...(displayName === undefined ? {} : { displayName }),
    instanceId,
    status: "pending",
  };
  const confinedBy = isolation === "bubblewrap" ? await bubblewrap() : null;
  throwIfEnded(signal);
  await state.snapshots.create(name, pending);
  try {
    await copyTree(rootDirectory, contentOf(state.snapshots, name), {
      operation: "createSnapshot",
      signal,
      live: true,
      confinedBy,
    });
    // Its root goes away in one step with its record: still there now, it was there all the time.
    await mustGet(context, instanceId, "createSnapshot");
    const available: SnapshotRecord = { ...pending, status: "available" };
    await state.snapshots.update(name, available);
    return available;
  } catch (error) {
    await state.snapshots.remove(name);
    throwIfEnded(signal);
    throw error;
  }
}

/**
 * What a sandbox runs may make a link of any directory while it is copied, so the copy must not see the host. A process
 * group reads the host's files by itself, and is no such boundary.
 */
async function bubblewrap(): Promise<IsolationTools> {
  // The instance is one of bubblewrap's whatever this process's own setting says.
  const { tools, reason } = await detectIsolation({ variables: { ...process.env, SLIPWAY_SANDBOX: "auto" } });
  if (tools !== null) return tools;
  throw failure("no-sandbox", "createSnapshot", `a sandbox cannot be copied without bubblewrap, and ${reason}`);
}

/** Everything was undone by then. */
function throwIfEnded(signal: AbortSignal | undefined): void {
  if (signal?.aborted !== true) return;
  throw abortError(signal, { provider: PROVIDER_NAME, operation: "createSnapshot", effect: "none" });
}

async function deleteSnapshot({ state }: LocalContext, id: string, call: CallOptions = {}): Promise<void> {
  const name = nameOf(id);
  if (name === null) return;
  await state.locked("snapshots", name, { operation: "deleteSnapshot", signal: call.signal }, async () => {
    try {
      const record = await state.snapshots.read(name, "deleteSnapshot");
      if (record === null || record.id === id) await state.snapshots.remove(name);
    } catch (error) {
      throw translated(error, "deleteSnapshot", "unknown");
    }
  });
}

async function listSnapshots(context: LocalContext, filter: SnapshotFilter = {}): Promise<readonly LocalSnapshot[]> {
  const { instanceId, owner = context.owner } = filter;
  const records = await context.state.snapshots.list("listSnapshots").catch((error: unknown) => {
    throw translated(error, "listSnapshots", "none");
  });
  const wanted = records.filter(
    (record) =>
      (owner === "*" || record.owner === owner) && (instanceId === undefined || record.instanceId === instanceId),
  );
  return await Promise.all(wanted.map((record) => told(context, record)));
}

async function snapshotOf(context: LocalContext, id: string, operation: string): Promise<SnapshotRecord | null> {
  const name = nameOf(id);
  if (name === null) return null;
  try {
    const record = await context.state.snapshots.read(name, operation);
    return record?.id === id ? record : null;
  } catch (error) {
    throw translated(error, operation, "none");
  }
}

/** A copy that nobody works on any more will never be whole. */
async function statusOf({ state }: LocalContext, record: SnapshotRecord): Promise<SnapshotStatus> {
  if (record.status === "available") return "available";
  const name = nameFor(record.owner, record.key);
  if (await state.isWorkedOn("snapshots", name)) return "pending";
  // It may have been finished between the two looks.
  const now = await state.snapshots.read(name, "getSnapshotStatus");
  return now?.id === record.id && now.status === "available" ? "available" : "failed";
}

async function told(context: LocalContext, record: SnapshotRecord): Promise<LocalSnapshot> {
  return {
    id: record.id,
    provider: PROVIDER_NAME,
    status: await statusOf(context, record),
    key: record.key,
    owner: record.owner,
    ...(record.displayName === undefined ? {} : { name: record.displayName }),
    instanceId: record.instanceId,
    createdAt: record.createdAt,
    contentDirectory: contentOf(context.state.snapshots, nameFor(record.owner, record.key)),
  };
}
