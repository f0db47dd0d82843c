import { type BaseSpawnOptions, type Instance, type InstanceStatus, isProviderError } from "@slipway/core";
import { type Call, type Driver, ownershipTags } from "../../src/driver/index.ts";

interface Pod {
  readonly metadata: {
    readonly name: string;
    readonly namespace: string;
    readonly uid: string;
    readonly creationTimestamp: string;
    readonly deletionTimestamp?: string;
    readonly annotations?: Readonly<Record<string, string>>;
  };
  readonly phase: string;
}

interface KubernetesApi {
  readonly pods: (
    call: Call,
    context: string,
    query: { readonly labelSelector?: string; readonly continue?: string | undefined },
  ) => Promise<{ readonly items: readonly Pod[]; readonly continue?: string }>;
  readonly pod: (call: Call, context: string, name: string) => Promise<Pod | null>;
  readonly createPod: (call: Call, context: string, pod: object) => Promise<Pod>;
  readonly ensureSecret: (
    call: Call,
    context: string,
    owner: Pod,
    data: Readonly<Record<string, string>>,
  ) => Promise<void>;
  /** With `preconditions.uid`: another generation is left alone. */
  readonly deletePod: (call: Call, context: string, name: string, uid: string) => Promise<void>;
}

/** What the driver works with: a pod and the context (region) that it was read in. */
interface Placed {
  readonly context: string;
  readonly pod: Pod;
}
type KubernetesInstance = Instance & { readonly namespace: string };
type Options = BaseSpawnOptions & { readonly region?: string | undefined };

const annotations = ownershipTags({ prefix: "slipway.dev/", remote: "Kubernetes" });
const PHASES: Readonly<Record<string, InstanceStatus>> = {
  Pending: "pending",
  Running: "running",
  Succeeded: "terminated",
  Failed: "terminated",
};

/** The apiserver refuses a second pod of one name, and its reads are exact: `idempotentSpawn` is true. */
export function kubernetesDriver(
  api: KubernetesApi,
  contexts: readonly [string, ...string[]],
): Driver<Placed, KubernetesInstance, Options, object> {
  const parts = (id: string) => {
    const [context = "", , name = "", uid = ""] = id.split("/");
    return { context, name, uid };
  };
  return {
    isId: (id) => /^[^/]+\/[a-z0-9-]+\/slip-[a-z2-7-]+\/[0-9a-f-]{36}$/.test(id),
    identify: ({ context, pod: { metadata, phase } }) => ({
      id: `${context}/${metadata.namespace}/${metadata.name}/${metadata.uid}`,
      nativeId: metadata.uid,
      name: metadata.name,
      status: metadata.deletionTimestamp === undefined ? (PHASES[phase] ?? "unknown") : "terminating",
      ownership: annotations.read(metadata.annotations ?? {}),
      createdAt: metadata.creationTimestamp,
    }),
    toInstance: ({ context, pod }, base) => ({
      ...base,
      region: context,
      namespace: pod.metadata.namespace,
      addresses: {},
      isSpot: false,
      createdAt: pod.metadata.creationTimestamp,
    }),
    bootstrap: { format: "shell", executed: true },

    // A page at a time: 100,000 pods are never in memory together.
    list: async function* (call, { owner, region }) {
      for (const context of region === undefined ? contexts : [region]) {
        const labelSelector = owner === undefined ? "slipway.dev/managed" : `slipway.dev/owner=${owner}`;
        let next: string | undefined;
        do {
          const page = await api.pods(call, context, { labelSelector, continue: next });
          yield page.items.map((pod) => ({ context, pod }));
          next = page.continue;
        } while (next !== undefined);
      }
    },
    get: async (call, id) => {
      const { context, name, uid } = parts(id);
      const pod = await api.pod(call, context, name);
      return pod?.metadata.uid === uid ? { context, pod } : null;
    },
    prepare: (_call, { options }) => ({ image: options.image, resources: options.resources }),
    create: async (call, { name, ownership, options, prepared }) => {
      const context = options.region ?? contexts[0];
      try {
        const metadata = {
          name,
          labels: { "slipway.dev/owner": ownership.owner },
          annotations: annotations.write(ownership),
        };
        return { machine: { context, pod: await api.createPod(call, context, { metadata, ...prepared }) } };
      } catch (error) {
        // AlreadyExists: another process's, an unmanaged one, or a former one that is still going.
        if (isProviderError(error) && error.native?.code === "AlreadyExists")
          return { error, lookUp: true, retry: true };
        throw error;
      }
    },
    // The pod waits for its Secret; whoever finds it without adds it.
    finish: async (call, placed, { script }) => {
      if (script !== undefined) await api.ensureSecret(call, placed.context, placed.pod, { bootstrap: script.content });
      return placed;
    },
    destroy: async (call, id) => {
      const { context, name, uid } = parts(id);
      try {
        await api.deletePod(call, context, name, uid);
        return "accepted";
      } catch (error) {
        // Gone, or another generation has the name.
        if (isProviderError(error, "NOT_FOUND") || (isProviderError(error) && error.native?.code === "Conflict"))
          return "gone";
        throw error;
      }
    },
  };
}
