import { isProviderError, nameFor, type Snapshot, type SnapshotMethods, type SnapshotStatus } from "@slipway/core";
import { type Call, utcTime } from "@slipway/provider-kit/driver";
import { withEffect } from "@slipway/provider-kit/errors";
import { isNotThere } from "./client.ts";
import { operationFailure } from "./errors.ts";
import type { GcpLifeCycle } from "./instance.ts";
import { OWNER_LABEL, ownershipLabels } from "./ownership.ts";
import { composeId, type GcpRemote, numberOf, PROVIDER, refusal } from "./remote.ts";
import type { WireImage, WireOperation } from "./wire.ts";

const PAUSE_MS = 2_000;
const ID = /^([a-z][-a-z0-9]{0,62})\/([1-9][0-9]{0,19})$/;

/**
 * Machine images: of a whole instance, and global, so that their name decides between processes. They have no metadata of
 * their own: key and instance stand in the description.
 */
export function snapshotMethods(remote: GcpRemote, lifeCycle: GcpLifeCycle): SnapshotMethods<Snapshot> {
  const { client, project, owner } = remote;
  const ours = async (call: Call, name: string, instanceId: string): Promise<WireImage | null> => {
    const there = await client.image(call, name);
    if (there === null) return null;
    if (there.labels?.[OWNER_LABEL] !== owner) {
      throw refusal("CONFLICT", call.operation, `a machine image that is not ours is named ${name}`, {
        nativeId: instanceId,
      });
    }
    if (there.status !== "DELETING") return there;
    // Whoever got it would soon have nothing.
    throw refusal("BUSY", call.operation, `the snapshot ${name} is being deleted, and its name is not free yet`, {
      nativeId: there.id,
      retryAfterMs: 10_000,
    });
  };
  return {
    createSnapshot: async (instanceId, { key, signal }) => {
      const call: Call = { operation: "createSnapshot", signal };
      const machine = await lifeCycle.managed(call, instanceId);
      const { zone, id: number } = machine;
      if (machine.disks?.some(({ boot }) => boot !== true) === true) {
        throw refusal("INVALID_STATE", call.operation, `${instanceId} has volumes, which a machine image would copy`, {
          hint: "Each instance from it would leave copies behind that nobody lists.",
        });
      }
      const name = nameFor(owner, `${key} ${number}`);
      const id = composeId({ project, zone, name: machine.name, number });
      const before = await ours(call, name, id);
      if (before !== null) return viewOf(before);
      const body = { name, description: `${key}\n${id}`, labels: ownershipLabels({ owner, key }) };
      const source = `projects/${project}/zones/${zone}/instances/${machine.name}`;
      try {
        const sent = await client.insertImage(call, body, source, crypto.randomUUID());
        const seen = await begun(remote, call, name, sent);
        if (seen !== null) return viewOf(seen);
        if (sent.targetId !== undefined) return viewOf({ ...body, id: sent.targetId, status: "CREATING" });
        throw refusal("INTERNAL", call.operation, `${name} is being made, and Google does not say its number`, {
          effect: "applied",
        });
      } catch (error) {
        const winner = isProviderError(error, "CONFLICT") ? await ours(call, name, id) : null;
        if (winner !== null) return viewOf(winner);
        throw isProviderError(error, "CONFLICT") ? withEffect(error, "none") : error;
      }
    },
    getSnapshotStatus: async (id, { signal } = {}) => {
      const found = await imageOf(remote, { operation: "getSnapshotStatus", signal }, id);
      return found === null ? null : statusOf(found);
    },
    deleteSnapshot: async (id, { signal } = {}) => {
      const call: Call = { operation: "deleteSnapshot", signal };
      const found = await imageOf(remote, call, id);
      if (found === null || found.status === "DELETING") return;
      if (found.labels?.[OWNER_LABEL] === undefined) {
        throw refusal("CONFLICT", call.operation, `the machine image ${id} was not made by Slipway: it is left alone`);
      }
      await client.removeImage(call, found.id, crypto.randomUUID());
    },
    listSnapshots: async ({ instanceId, owner: of = owner } = {}, { signal } = {}) => {
      const filter = of === "*" ? `labels.${OWNER_LABEL}:*` : `labels.${OWNER_LABEL} = "${of}"`;
      const found = (await client.images({ operation: "listSnapshots", signal }, filter)).map(viewOf);
      return found.filter(
        (one) =>
          (of === "*" || one.owner === of) &&
          (instanceId === undefined || [one.instanceId, numberOf(one.instanceId ?? "")].includes(instanceId)),
      );
    },
  };
}

/** The image, once it can be seen; an operation that failed at once is thrown. Its copy goes on for minutes. */
async function begun(
  { client, clock }: GcpRemote,
  call: Call,
  name: string,
  sent: WireOperation,
): Promise<WireImage | null> {
  try {
    await clock.sleep(PAUSE_MS, call.signal);
    // A server that has not heard of it yet says nothing of what it does.
    const latest = await client.globalOperation(call, sent.name).catch((error: unknown) => {
      if (isNotThere(error)) return sent;
      throw error;
    });
    const failure = operationFailure(latest, call.operation);
    if (failure !== null) throw failure;
    return await client.image(call, name);
  } catch (error) {
    throw isProviderError(error) && error.effect === "none" ? withEffect(error, "unknown") : error;
  }
}

function statusOf({ status }: WireImage): SnapshotStatus {
  if (status === "READY") return "available";
  return status === "INVALID" ? "failed" : "pending";
}

function viewOf(image: WireImage): Snapshot {
  const [, key = null, instance = null] = /^(.*)\n(.*)$/.exec(image.description ?? "") ?? [];
  const bytes = Number(image.totalStorageBytes ?? Number.NaN);
  return {
    id: `${image.name}/${image.id}`,
    provider: PROVIDER,
    status: statusOf(image),
    key,
    owner: image.labels?.[OWNER_LABEL] ?? null,
    instanceId: instance,
    ...(Number.isNaN(bytes) ? {} : { sizeBytes: bytes }),
    createdAt: utcTime(image.creationTimestamp),
  };
}

/** By its number: a name may have gone to a younger one. Null for what is not there. */
async function imageOf({ client }: GcpRemote, call: Call, id: string): Promise<WireImage | null> {
  const [, name, number] = ID.exec(id) ?? [];
  const found = name === undefined ? null : await client.image(call, name);
  return found?.id === number ? found : null;
}

/** The path of an available snapshot. Throws NOT_FOUND or BUSY, with nothing done. */
export async function sourceOf(remote: GcpRemote, call: Call, id: string): Promise<string> {
  const found = await imageOf(remote, call, id);
  if (found === null)
    throw refusal("NOT_FOUND", call.operation, `there is no snapshot ${JSON.stringify(id.slice(0, 64))}`);
  if (statusOf(found) === "available") return `projects/${remote.project}/global/machineImages/${found.name}`;
  const code = statusOf(found) === "pending" ? "BUSY" : "INVALID_STATE";
  throw refusal(code, call.operation, `the snapshot ${id} is ${found.status}`, { retryAfterMs: 30_000 });
}
