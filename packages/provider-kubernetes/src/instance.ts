import type { Instance, InstanceResources } from "@slipway/core";
import { type InstanceBase, present } from "@slipway/provider-kit/driver";
import { TERMINATE_BY_ANNOTATION } from "./end-job.ts";
import { machineTypeOf, priceOf } from "./machines.ts";
import { INSTANCE_TYPE_LABEL, type Profile } from "./profiles.ts";
import { bytesOfQuantity, numberOfQuantity } from "./quantities.ts";
import { statusOf } from "./statuses.ts";
import type { WirePod } from "./wire.ts";

/** A pod, with what it shows beyond the contract. */
export interface KubernetesInstance extends Instance {
  /** Kubernetes' own word for where it is: Pending, Running, Succeeded, Failed or Unknown. */
  readonly phase: string;
  /** The name of the pod: `nameFor(owner, key)`. */
  readonly remoteName?: string;
  /** The display name that was asked for. */
  readonly name?: string;
  readonly namespace: string;
  /** Where the scheduler has put it. */
  readonly nodeName?: string;
  /** Of the options that it was spawned with; empty where it has none. */
  readonly specHash: string;
}

/** The container that is the machine; admission may put others beside it. */
export const MAIN_CONTAINER = "main";

/** Where a pod keeps the type of GPU that was asked for. */
export const GPU_ANNOTATION = "slipway.dev/gpu";

export function toInstance(
  pod: WirePod,
  base: InstanceBase,
  { context, profile }: { readonly context: string; readonly profile: Profile },
): KubernetesInstance {
  const { metadata, spec, status } = pod;
  const { reason } = statusOf(pod);
  const main = spec.containers.find(({ name }) => name === MAIN_CONTAINER) ?? spec.containers[0];
  const type = spec.nodeSelector?.[INSTANCE_TYPE_LABEL];
  const gpuType = metadata.annotations?.[GPU_ANNOTATION] ?? machineTypeOf(profile, type)?.gpus?.type;
  const resources = resourcesOf(main?.resources?.limits ?? {}, gpuType, profile);
  const price = resources?.gpus === undefined ? undefined : priceOf(profile, { spec: type, gpu: resources.gpus });
  const terminateBy = metadata.annotations?.[TERMINATE_BY_ANNOTATION];
  const ips = [status.podIP, ...(status.podIPs ?? []).map(({ ip }) => ip)];
  return {
    ...base,
    phase: status.phase ?? "Unknown",
    region: context,
    namespace: metadata.namespace,
    ...present({
      statusReason: reason,
      nodeName: spec.nodeName,
      spec: type,
      image: main?.image,
      resources,
      price,
      terminateBy: terminateBy === undefined ? undefined : { at: terminateBy, by: "remote" },
    }),
    addresses: present({
      privateIpv4: ips.find((ip) => ip?.includes(".")),
      ipv6: ips.find((ip) => ip?.includes(":")),
    }),
    isSpot: false,
    createdAt: metadata.creationTimestamp ?? null,
  };
}

function resourcesOf(
  limits: Readonly<Record<string, string | number>>,
  gpuType: string | undefined,
  { gpuResource }: Profile,
): InstanceResources | undefined {
  const count = bytesOfQuantity(limits[gpuResource]) ?? 0;
  const found = present({
    cpus: numberOfQuantity(limits["cpu"]),
    memoryBytes: bytesOfQuantity(limits["memory"]),
    diskBytes: bytesOfQuantity(limits["ephemeral-storage"]),
    gpus: count === 0 ? undefined : { type: gpuType ?? gpuResource, count },
  });
  return Object.keys(found).length === 0 ? undefined : found;
}
