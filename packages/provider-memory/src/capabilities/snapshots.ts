import type { Snapshot, SnapshotMethods, SnapshotStatus } from "@slipway/core";
import { nameFor } from "@slipway/core";
import { checkedFilter, checkedKey, inRegionsOrThrow, type MemoryContext, ownerFilter, PROVIDER } from "../context.ts";
import { composeId, inRegions } from "../ids.ts";
import { anything, capture, capturePage, type WireCapture } from "../wire.ts";

/** A snapshot in the memory world. */
export interface MemorySnapshot extends Snapshot {
  readonly nativeId: string;
  readonly region: string;
  readonly sizeBytes: number;
}

const STATUSES: ReadonlyMap<string, SnapshotStatus> = new Map([
  ["copying", "pending"],
  ["ready", "available"],
  ["broken", "failed"],
]);

export function snapshotMethods(context: MemoryContext): SnapshotMethods<MemorySnapshot> {
  const { client, owner } = context;
  return {
    createSnapshot: async (instanceId, { key, name, signal }) => {
      const call = { operation: "createSnapshot", signal };
      const tag = { owner, key: checkedKey(call.operation, key) };
      return inRegionsOrThrow(context, call, instanceId, "mem", async (region, machine) => {
        const body = { machine, tag, name: nameFor(owner, key), title: name ?? null };
        return snapshotFrom(await client.send(call, "captures.create", region, body, capture));
      });
    },
    getSnapshotStatus: (id, { signal } = {}) =>
      inRegions(id, "memcap", context.regions, async (region, nativeId) => {
        const call = { operation: "getSnapshotStatus", signal };
        return statusOf((await client.send(call, "captures.read", region, { id: nativeId }, capture)).state);
      }),
    deleteSnapshot: async (id, { signal } = {}) => {
      const call = { operation: "deleteSnapshot", signal };
      await inRegions(id, "memcap", context.regions, (region, nativeId) =>
        client.send(call, "captures.delete", region, { id: nativeId }, anything),
      );
    },
    listSnapshots: async (given, { signal } = {}) => {
      const call = { operation: "listSnapshots", signal };
      const filter = checkedFilter(call.operation, given, { instanceId: "text", owner: "text" });
      const found: MemorySnapshot[] = [];
      for (const region of context.regions) {
        const rows = await client.sendAll(
          call,
          "captures.list",
          region,
          ownerFilter(context, filter.owner),
          capturePage,
        );
        found.push(...rows.map(snapshotFrom));
      }
      const { instanceId } = filter;
      if (instanceId === undefined) return found;
      return found.filter((snapshot) => [snapshot.instanceId, nativeOf(snapshot.instanceId)].includes(instanceId));
    },
  };
}

function nativeOf(id: string | null): string | null {
  return id?.slice(id.indexOf("/") + 1) ?? null;
}

/** A state that no table knows is one that is not over. */
function statusOf(state: string): SnapshotStatus {
  return STATUSES.get(state) ?? "pending";
}

function snapshotFrom(row: WireCapture): MemorySnapshot {
  return {
    id: composeId(row),
    nativeId: row.id,
    provider: PROVIDER,
    status: statusOf(row.state),
    key: row.tag?.key ?? null,
    owner: row.tag?.owner ?? null,
    ...(row.title === null ? {} : { name: row.title }),
    instanceId: composeId({ region: row.region, id: row.machine }),
    region: row.region,
    sizeBytes: row.sizeBytes,
    createdAt: new Date(row.createdAt).toISOString(),
  };
}
