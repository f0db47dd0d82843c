import { isProviderError } from "@slipway/core";
import type { Call, VolumeDriver } from "@slipway/provider-kit/driver";
import { ownershipAnnotations, ownershipLabels, ownershipOf } from "./ownership.ts";
import { bytesOfQuantity } from "./quantities.ts";
import { addressOf, idOf, type KubernetesRemote, type KubernetesSpawnOptions, parseId, refusal } from "./remote.ts";
import { statusOf } from "./statuses.ts";
import type { WireClaim } from "./wire.ts";

/** A claim, and the context through which it is reached. */
export interface ClaimedVolume {
  readonly context: string;
  readonly claim: WireClaim;
}

/** Volumes as claims. They belong to no pod, so that they outlive all of them. */
export function kubernetesVolumes(remote: KubernetesRemote): VolumeDriver<ClaimedVolume> {
  const { client, owner, config } = remote;
  return {
    isId: (id) => parseId(id) !== null,
    list: async (call) => {
      const { context } = await client.where(call);
      const found: ClaimedVolume[] = [];
      for await (const page of client.claims(call)) found.push(...page.map((claim) => ({ context, claim })));
      return found;
    },
    identify: ({ context, claim }) => ({
      id: idOf({ context, ...claim.metadata }),
      // The kit knows its own by their names: a claim that is not marked as ours must not look like one.
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
    create: async (call, { key, name, sizeBytes }) => {
      const ownership = { owner, key, specHash: undefined, labels: {} };
      const { storageClassName, accessMode = "ReadWriteOnce" } = config.volumes ?? {};
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
        const { context } = await client.where(call);
        return { volume: { context, claim: await client.createClaim(call, body) } };
      } catch (error) {
        if (isProviderError(error) && error.native?.code?.startsWith("AlreadyExists/") === true)
          return { exists: error };
        throw error;
      }
    },
    destroy: async (call, id) => {
      const { name, uid } = await addressOf(remote, call, id);
      return (await client.deleteClaim(call, name, uid)) ? "accepted" : "gone";
    },
    // Kubernetes takes the request and keeps the claim until the last pod is gone.
    guardsAttached: true,
    attachments: async (call, volumes) => {
      const users = new Map<string, string>();
      if (volumes.length === 0) return users;
      const { context } = await client.where(call);
      const ids = new Map(volumes.map(({ claim }) => [claim.metadata.name, idOf({ context, ...claim.metadata })]));
      // Anybody's pod may use a claim.
      for await (const page of client.pods(call)) {
        for (const pod of page) {
          if (statusOf(pod).status === "terminated") continue;
          for (const { persistentVolumeClaim } of pod.spec.volumes ?? []) {
            const id = ids.get(persistentVolumeClaim?.claimName ?? "");
            if (id !== undefined) users.set(id, idOf({ context, ...pod.metadata }));
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
  call: Call,
  { volumes = [] }: KubernetesSpawnOptions,
): Promise<readonly string[]> {
  return await Promise.all(
    volumes.map(async ({ id }) => {
      const address = parseId(id) === null ? null : await addressOf(remote, call, id);
      const claim = address === null ? null : await remote.client.claim(call, address.name);
      if (claim !== null && claim.metadata.uid === address?.uid && !claim.metadata.deletionTimestamp) {
        return claim.metadata.name;
      }
      throw refusal("INVALID_SPEC", call.operation, `volumes: there is no volume ${JSON.stringify(id.slice(0, 512))}`);
    }),
  );
}
