import type { Snapshot, SnapshotMethods, SnapshotStatus } from "@slipway/core";
import type { Call, LifeCycle } from "@slipway/provider-kit/driver";
import type { KeyedMutex } from "@slipway/provider-kit/limits";
import type { __Name__Client } from "../client/client.ts";
import { type __Name__SpawnOptions, isId, ownership } from "../driver.ts";
import { PROVIDER, refusal } from "../errors.ts";
import type { __Name__Instance } from "../instance.ts";
import type { WireCapture, WireMachine } from "../wire.ts";

const STATUSES: ReadonlyMap<string, SnapshotStatus> = new Map([
  ["copying", "pending"],
  ["ready", "available"],
  ["broken", "failed"],
]);

export function snapshotMethods(
  client: __Name__Client,
  owner: string,
  mutex: KeyedMutex,
  lifeCycle: Pick<LifeCycle<WireMachine, __Name__Instance, __Name__SpawnOptions, unknown>, "managed">,
): SnapshotMethods<Snapshot> {
  return {
    createSnapshot: async (instanceId, { key, name, signal }) => {
      const call: Call = { operation: "createSnapshot", signal };
      return await mutex(`snapshot ${key}`, call, async () => {
        const known = (await client.captures(call)).find(({ tags }) => isOf(tags, owner) && ownership.read(tags)?.key === key);
        if (known?.machine === instanceId) return snapshotFrom(known);
        if (known !== undefined) {
          const message = `the key ${JSON.stringify(key)} has a snapshot of ${known.machine}: ${known.id}`;
          throw refusal("CONFLICT", call.operation, message, { nativeId: known.id });
        }
        await lifeCycle.managed(call, instanceId);
        const owned = { owner, key, specHash: undefined, displayName: name, labels: {} };
        return snapshotFrom(await client.capture(call, instanceId, ownership.write(owned)));
      });
    },
    getSnapshotStatus: async (id, { signal } = {}) => {
      const found = (await client.captures({ operation: "getSnapshotStatus", signal })).find((one) => one.id === id);
      return found === undefined ? null : statusOf(found.state);
    },
    deleteSnapshot: async (id, { signal } = {}) => {
      if (!isId(id)) return;
      const call: Call = { operation: "deleteSnapshot", signal };
      const found = (await client.captures(call)).find((one) => one.id === id);
      if (found !== undefined && ownership.read(found.tags) === null) {
        throw refusal("CONFLICT", call.operation, `${id} was not made by Slipway: it is left alone`, { nativeId: id });
      }
      await client.removeCapture(call, id);
    },
    listSnapshots: async ({ instanceId, owner: whose = owner } = {}, { signal } = {}) =>
      (await client.captures({ operation: "listSnapshots", signal }))
        .filter(({ tags, machine }) => isOf(tags, whose) && (instanceId === undefined || machine === instanceId))
        .map(snapshotFrom),
  };
}

/** A state that no table knows is one that is not over. */
function statusOf(state: string): SnapshotStatus {
  return STATUSES.get(state) ?? "pending";
}

function isOf(tags: Readonly<Record<string, string>>, owner: string): boolean {
  const owned = ownership.read(tags);
  return owned !== null && (owner === "*" || owned.owner === owner);
}

function snapshotFrom(wire: WireCapture): Snapshot {
  const owned = ownership.read(wire.tags);
  return {
    id: wire.id,
    provider: PROVIDER,
    status: statusOf(wire.state),
    key: owned?.key ?? null,
    owner: owned?.owner ?? null,
    ...(owned?.displayName === undefined ? {} : { name: owned.displayName }),
    instanceId: wire.machine,
    createdAt: wire.createdAt,
  };
}
