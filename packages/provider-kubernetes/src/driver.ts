import { isProviderError } from "@slipway/core";
import { bootstrapSecrets } from "@slipway/provider-kit/bootstrap";
import type { Call, Created, Driver, SpawnRequest } from "@slipway/provider-kit/driver";
import { type KubernetesInstance, toInstance } from "./instance.ts";
import { MANAGED_SELECTOR, OWNER_LABEL, ownerLabel, ownershipOf } from "./ownership.ts";
import { bootstrapSecretOf, checkPod, podBody, secretBody, specOf } from "./pod.ts";
import { addressOf, idOf, type KubernetesRemote, type KubernetesSpawnOptions, nativeIdOf, parseId } from "./remote.ts";
import { statusOf } from "./statuses.ts";
import { claimNames } from "./volumes.ts";
import type { WirePod } from "./wire.ts";

/** The most of a Secret, less some room for its own fields. */
export const MAX_BOOTSTRAP_BYTES = 1_000_000;

/** A pod, and the context through which it is reached. */
export interface Machine {
  readonly context: string;
  readonly pod: WirePod;
}

export type KubernetesDriver = Driver<Machine, KubernetesInstance, KubernetesSpawnOptions, undefined>;
type Request = SpawnRequest<KubernetesSpawnOptions, undefined>;

/** Pods as instances: names are unique, a read shows every write, and a uid tells generations of one name apart. */
export function kubernetesDriver(remote: KubernetesRemote): KubernetesDriver {
  const { client, profile } = remote;
  return {
    isId: (id) => parseId(id) !== null,
    identify: ({ context, pod }) => {
      const address = { context, ...pod.metadata };
      return {
        id: idOf(address),
        nativeId: nativeIdOf(address),
        name: pod.metadata.name,
        status: statusOf(pod).status,
        ownership: ownershipOf(pod),
        createdAt: pod.metadata.creationTimestamp,
      };
    },
    toInstance: ({ pod }, base) => toInstance(pod, base, profile),
    specOf: (options) => specOf(remote, options),
    bootstrap: { format: "shell", executed: true, maxBytes: MAX_BOOTSTRAP_BYTES },

    list: async function* (call, { owner, names }) {
      const { context } = await client.where(call);
      if (names !== undefined) {
        // A key has one name, and nothing else may have it: that is the whole lookup.
        for (const name of names) {
          const pod = await client.pod(call, name);
          if (pod !== null) yield [{ context, pod }];
        }
        return;
      }
      const selector =
        owner === undefined ? MANAGED_SELECTOR : `${MANAGED_SELECTOR},${OWNER_LABEL}=${ownerLabel(owner)}`;
      for await (const page of client.pods(call, selector)) yield page.map((pod) => ({ context, pod }));
    },
    get: async (call, id) => {
      const { context, name, uid } = await addressOf(remote, call, id);
      const pod = await client.pod(call, name);
      // Another uid is another generation of the name.
      return pod === null || pod.metadata.uid !== uid ? null : { context, pod };
    },
    prepare: (call, request) => {
      checkPod(call, request);
      return undefined;
    },
    create: (call, request, { previous }) => create(remote, call, request, previous),
    finish: (call, machine, request) => finish(remote, call, machine, request),
    destroy: async (call, id, machine) => {
      // Reads are never late: what is not there has ended.
      if (machine === null) return "gone";
      const { name, uid } = await addressOf(remote, call, id);
      return (await client.deletePod(call, name, uid)) ? "accepted" : "gone";
    },
  };
}

async function create(
  remote: KubernetesRemote,
  call: Call,
  request: Request,
  previous: readonly Machine[],
): Promise<Created<Machine>> {
  const { client } = remote;
  // A pod that has finished keeps its name until somebody deletes it.
  for (const { pod } of previous) await client.deletePod(call, pod.metadata.name, pod.metadata.uid);
  const { context } = await client.where(call);
  // Unique for each generation: the Secret of the last one may outlive its pod for a moment.
  const claims = await claimNames(remote, call, request.options);
  const secretName = `${request.name}-${crypto.randomUUID().slice(0, 8)}`;
  const body = podBody(remote, request, { secretName, claims });
  try {
    return { machine: { context, pod: await client.createPod(call, body) } };
  } catch (error) {
    const native = isProviderError(error) ? (error.native?.code ?? "") : "";
    if (native === "AlreadyExists/pods") return { error, lookUp: true, retry: true };
    // A full quota is told before the name is looked at: the pod may be there.
    if (isProviderError(error, "QUOTA_EXCEEDED")) return { error, lookUp: true, retry: false };
    throw error;
  }
}

/** The second half of a spawn with a bootstrap; whoever finds a pod that still waits for its Secret writes it. */
async function finish(
  { client }: KubernetesRemote,
  call: Call,
  machine: Machine,
  { script, ownership }: Request,
): Promise<Machine> {
  const { pod } = machine;
  const secretName = bootstrapSecretOf(pod);
  if (script === undefined || secretName === undefined || statusOf(pod).status !== "pending") return machine;
  if (await client.hasSecret(call, secretName)) return machine;
  const secrets = bootstrapSecrets(script, Buffer.from(script.content, "utf8").toString("base64"));
  try {
    await client.createSecret(call, secretBody(pod, secretName, ownership.owner, script), secrets);
  } catch (error) {
    // Another process was quicker.
    if (!isProviderError(error) || error.native?.code !== "AlreadyExists/secrets") throw error;
  }
  return machine;
}
