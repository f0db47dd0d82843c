import { isProviderError } from "@slipway/core";
import { bootstrapSecrets } from "@slipway/provider-kit/bootstrap";
import type { Call, Created, Driver, ListHint, SpawnRequest } from "@slipway/provider-kit/driver";
import type { KubernetesClient } from "./client.ts";
import { createEnd, endJobOf, removeEnd } from "./end-job.ts";
import { type KubernetesInstance, toInstance } from "./instance.ts";
import { checkMachine } from "./machines.ts";
import { MANAGED_SELECTOR, OWNER_LABEL, ownerLabel, ownershipOf } from "./ownership.ts";
import { bootstrapSecretOf, checkPod, podBody, secretBody, specOf } from "./pod.ts";
import {
  clientOf,
  idOf,
  inEach,
  type KubernetesRemote,
  type KubernetesSpawnOptions,
  nativeIdOf,
  parseId,
  placesOf,
} from "./remote.ts";
import { statusOf } from "./statuses.ts";
import { claimNames } from "./volumes.ts";
import type { WirePod } from "./wire.ts";

/** The most of a Secret, less some space for its own fields. */
export const MAX_BOOTSTRAP_BYTES = 1_000_000;

/** A pod, and the context through which it is reached. */
export interface Machine {
  readonly client: KubernetesClient;
  readonly context: string;
  readonly pod: WirePod;
}

export type KubernetesDriver = Driver<Machine, KubernetesInstance, KubernetesSpawnOptions, undefined>;
type Request = SpawnRequest<KubernetesSpawnOptions, undefined>;

/** Pods as instances: names are unique, a read shows every write, and a uid tells generations of one name apart. */
export function kubernetesDriver(remote: KubernetesRemote): KubernetesDriver {
  const { clients, profile } = remote;
  return {
    isId: (id) => parseId(id) !== null,
    identify: ({ context, pod }) => {
      return {
        id: idOf(context, pod.metadata),
        nativeId: nativeIdOf(pod.metadata),
        name: pod.metadata.name,
        status: statusOf(pod).status,
        ownership: ownershipOf(pod),
        createdAt: pod.metadata.creationTimestamp,
      };
    },
    toInstance: ({ pod, context }, base) => toInstance(pod, base, { context, profile }),
    specOf: (options) => specOf(remote, options),
    bootstrap: { format: "shell", executed: true, maxBytes: MAX_BOOTSTRAP_BYTES },

    list: async function* (call, hint) {
      const chosen = hint.region === undefined ? clients : [await clientOf(remote, call, hint.region)];
      yield* inEach(chosen, call, async (client, context) =>
        (await podsOf(client, call, hint)).map((pod) => ({ client, context, pod })),
      );
    },
    get: async (call, id) => {
      for (const { client, context, name, uid } of await placesOf(remote, call, id)) {
        const pod = await client.pods.get(call, name);
        // Another uid is another generation of the name.
        if (pod?.metadata.uid === uid) return { client, context, pod };
      }
      return null;
    },
    ...(profile.preemptionLabel === undefined
      ? {}
      : {
          enrich: (call, machine, instance) => withPreemption(call, machine, instance, profile.preemptionLabel ?? ""),
        }),
    prepare: (call, request) => {
      checkPod(remote, call, request);
      checkMachine(remote, call, request.options);
      return undefined;
    },
    create: (call, request, { previous }) => create(remote, call, request, previous),
    finish,
    destroy: async (call, _id, machine) => {
      // Reads are never late: what is not there has ended.
      if (machine === null) return "gone";
      return (await remove(call, machine)) ? "accepted" : "gone";
    },
  };
}

async function podsOf(client: KubernetesClient, call: Call, { owner, names }: ListHint): Promise<readonly WirePod[]> {
  if (names !== undefined) {
    // A key has one name, and nothing else may have it: that is the whole lookup.
    const found = await Promise.all(names.map((name) => client.pods.get(call, name)));
    return found.filter((pod) => pod !== null);
  }
  const selector = owner === undefined ? MANAGED_SELECTOR : `${MANAGED_SELECTOR},${OWNER_LABEL}=${ownerLabel(owner)}`;
  return await client.pods.list(call, selector);
}

/** Whether the cloud is about to take the node back; nothing is added where nodes may not be read. */
async function withPreemption(
  call: Call,
  { client, pod }: Machine,
  instance: KubernetesInstance,
  label: string,
): Promise<KubernetesInstance> {
  const { nodeName } = pod.spec;
  if (!nodeName || instance.status !== "running") return instance;
  const node = await client.node(call, nodeName);
  if (node?.metadata.labels?.[label] !== "true") return instance;
  const message = `the node ${nodeName} will be reclaimed soon: it has the label ${label}`;
  return { ...instance, statusReason: { code: "PendingPreemption", message } };
}

async function create(
  remote: KubernetesRemote,
  call: Call,
  request: Request,
  previous: readonly Machine[],
): Promise<Created<Machine>> {
  const client = await clientOf(remote, call, request.options.region);
  // First: it may refuse, and then nothing has been changed.
  const claims = await claimNames(remote, client, call, request.options);
  // A pod that has finished keeps its name until somebody deletes it.
  for (const machine of previous) await remove(call, machine);
  const { context } = await client.where(call);
  // Unique for each generation: the Secret of the last one may outlive its pod for a moment.
  const partName = `${request.name}-${crypto.randomUUID().slice(0, 8)}`;
  // Before the pod: there is none that has lost its end.
  const end = await createEnd(remote, client, call, { name: partName, options: request.options });
  const body = podBody(remote, request, { secretName: partName, claims, end });
  try {
    return { machine: { client, context, pod: await client.pods.create(call, body) } };
  } catch (error) {
    // Where the pod may be there, its end has to stay.
    if (isProviderError(error) && error.effect === "none") await removeEnd(client, call, end?.job);
    const native = isProviderError(error) ? (error.native?.code ?? "") : "";
    if (native === "AlreadyExists/pods") return { error, lookUp: true, retry: true };
    // A full quota is told before the name is looked at: the pod may be there.
    if (isProviderError(error, "QUOTA_EXCEEDED")) return { error, lookUp: true, retry: false };
    throw error;
  }
}

/** Of exactly this generation; false if it is gone already. */
async function remove(call: Call, { client, pod }: Machine): Promise<boolean> {
  const isThere = await client.pods.delete(call, pod.metadata.name, pod.metadata.uid);
  await removeEnd(client, call, endJobOf(pod));
  return isThere;
}

/** The second half of a spawn with a bootstrap; whoever finds a pod that still waits for its Secret writes it. */
async function finish(call: Call, machine: Machine, { script, ownership }: Request): Promise<Machine> {
  const { client, pod } = machine;
  const secretName = bootstrapSecretOf(pod);
  if (script === undefined || secretName === undefined || statusOf(pod).status !== "pending") return machine;
  if ((await client.secrets.get(call, secretName)) !== null) return machine;
  const secrets = bootstrapSecrets(script, Buffer.from(script.content, "utf8").toString("base64"));
  try {
    await client.secrets.create(call, secretBody(pod, secretName, ownership.owner, script), secrets);
  } catch (error) {
    // Another process was quicker.
    if (!isProviderError(error) || error.native?.code !== "AlreadyExists/secrets") throw error;
  }
  return machine;
}
