import { isProviderError } from "@slipway/core";
import type { Call, VolumeDriver } from "@slipway/provider-kit/driver";
import type { KubernetesClient } from "./client.ts";
import { ownershipAnnotations, ownershipLabels, ownershipOf } from "./ownership.ts";
import { bytesOfQuantity } from "./quantities.ts";
import {
  clientOf,
  idOf,
  inEach,
  type KubernetesRemote,
  type KubernetesSpawnOptions,
  parseId,
  placesOf,
} from "./remote.ts";
import { statusOf } from "./statuses.ts";
import type { WireClaim } from "./wire.ts";

/** A claim, and the context through which it is reached. */
export interface ClaimedVolume {
  readonly client: KubernetesClient;
  readonly context: string;
  readonly claim: WireClaim;
}

/** Volumes as claims. They belong to no pod, so that they outlive all of them. */
export function kubernetesVolumes(remote: KubernetesRemote): VolumeDriver<ClaimedVolume> {
  const { clients, owner, config, profile } = remote;
  return {
    isId: (id) => parseId(id) !== null,
    list: async (call) => {
      const found: ClaimedVolume[] = [];
      const each = inEach(clients, call, async (client, context) =>
        (await client.claims.list(call)).map((claim) => ({ client, context, claim })),
      );
      for await (const page of each) found.push(...page);
      return found;
    },
    identify: ({ context, claim }) => ({
      id: idOf(context, claim.metadata),
      region: context,
      // The kit knows its own by their names: a claim that is not tagged as ours must not look like one.
      name: ownershipOf(claim) === null ? "" : claim.metadata.name,
      sizeBytes: bytesOfQuantity(claim.spec.resources?.requests?.["storage"]) ?? 0,
    }),
    toVolume: ({ claim }, base, attachedTo) => {
      const owned = ownershipOf(claim);
      return {
        ...base,
        ...(owned === null ? {} : { owner: owned.owner, key: owned.key }),
        status: statusOfClaim(claim, attachedTo),
        attachedTo,
        createdAt: claim.metadata.creationTimestamp ?? null,
      };
    },
    create: async (call, { key, name, sizeBytes, region }) => {
      const ownership = { owner, key, specHash: undefined, labels: {} };
      const { storageClassName, accessMode = "ReadWriteOnce" } = { ...profile.volumes, ...config.volumes };
      const body = {
        apiVersion: "v1",
        kind: "PersistentVolumeClaim",
        metadata: { name, labels: ownershipLabels(owner), annotations: ownershipAnnotations(ownership) },
        spec: {
          accessModes: [accessMode],
          resources: { requests: { storage: String(sizeBytes) } },
          ...(storageClassName === undefined ? {} : { storageClassName }),
        },
      };
      try {
        const client = await clientOf(remote, call, region);
        const { context } = await client.where(call);
        return { volume: { client, context, claim: await client.claims.create(call, body) } };
      } catch (error) {
        if (isProviderError(error) && error.native?.code?.startsWith("AlreadyExists/") === true)
          return { exists: error };
        throw error;
      }
    },
    destroy: async (call, id) => {
      for (const { client, name, uid } of await placesOf(remote, call, id)) {
        if (await client.claims.delete(call, name, uid)) return "accepted";
      }
      return "gone";
    },
    // Kubernetes takes the request and keeps the claim until the last pod is gone.
    guardsAttached: true,
    attachments: async (call, volumes) => {
      const users = new Map<string, string>();
      for (const [client, claims] of Map.groupBy(volumes, (volume) => volume.client)) {
        const ids = new Map(claims.map(({ context, claim }) => [claim.metadata.name, idOf(context, claim.metadata)]));
        const { context } = await client.where(call);
        // Anybody's pod may use a claim.
        const pods = (await client.pods.list(call)).filter((pod) => statusOf(pod).status !== "terminated");
        for (const pod of pods) {
          for (const { persistentVolumeClaim } of pod.spec.volumes ?? []) {
            const id = ids.get(persistentVolumeClaim?.claimName ?? "");
            if (id !== undefined) users.set(id, idOf(context, pod.metadata));
          }
        }
      }
      return users;
    },
  };
}

// A claim whose class waits for its first pod stays Pending until then: it can be used all the same.
const PHASES: ReadonlyMap<string, "available" | "error"> = new Map([
  ["Pending", "available"],
  ["Bound", "available"],
  ["Lost", "error"],
]);

function statusOfClaim({ metadata, status }: WireClaim, attachedTo: string | null) {
  if (metadata.deletionTimestamp) return "deleting";
  if (attachedTo !== null) return "attached";
  return PHASES.get(status?.phase ?? "Pending") ?? "unknown";
}

/** The claims of a spawn by their names. INVALID_SPEC for one that is not there: the server itself would take the pod. */
export async function claimNames(
  remote: KubernetesRemote,
  client: KubernetesClient,
  call: Call,
  { volumes = [] }: KubernetesSpawnOptions,
): Promise<readonly string[]> {
  return await Promise.all(
    volumes.map(async ({ id }) => {
      const places = parseId(id) === null ? [] : await placesOf(remote, call, id);
      const place = places.find((one) => one.client === client);
      const claim = place === undefined ? null : await client.claims.get(call, place.name);
      if (claim !== null && claim.metadata.uid === place?.uid && !claim.metadata.deletionTimestamp) {
        return claim.metadata.name;
      }
      const { context } = await client.where(call);
      const message = `volumes: there is no volume ${JSON.stringify(id.slice(0, 512))} in the context ${context}`;
      throw remote.refuse("INVALID_SPEC", call.operation, message);
    }),
  );
}
