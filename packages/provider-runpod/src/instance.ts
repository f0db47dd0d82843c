import { isIPv4, isIPv6 } from "node:net";
import type { Clock, Instance, InstanceResources, InstanceStatus, Price } from "@slipway/core";
import { type InstanceBase, livePrice, positive, present, statusTable, utcTime } from "@slipway/provider-kit/driver";
import type { SeenPod, WirePod } from "./wire.ts";

/** A RunPod pod, with what it shows beyond the contract. */
export interface RunpodInstance extends Instance {
  /** RunPod's own word for its status; RUNNING also before sshd can be reached. */
  readonly state: string;
  /** The name at RunPod: `nameFor(owner, key)`. */
  readonly remoteName?: string;
  /** The display name that was asked for. */
  readonly name?: string;
  readonly cloud?: string;
  /** Where the pod's ports appear outside. They change at every start. */
  readonly portMappings: readonly {
    readonly port: number;
    readonly publicPort: number;
    readonly host?: string;
    readonly type: string;
  }[];
  /** Network volumes that are mounted. */
  readonly volumeIds: readonly string[];
  /** Of the options that it was spawned with; empty where it has none. */
  readonly specHash: string;
}

const states = statusTable({
  PROVISIONING: "pending",
  STARTING: "pending",
  RUNNING: "running",
  EXITED: "stopped",
  ERROR: { status: "error", reason: "RunPod reports an unrecoverable error of the container" },
  TERMINATED: "terminated",
});

/** RUNNING alone is not running: RunPod says so before the container can be reached. */
export function statusOf({ status, ssh, isSilent }: Pick<SeenPod, "status" | "ssh" | "isSilent">): InstanceStatus {
  const known = states.statusOf(status);
  return known === "running" && (ssh?.direct === undefined || isSilent === true) ? "pending" : known;
}

export function isTerminated({ status }: Pick<WirePod, "status">): boolean {
  return states.statusOf(status) === "terminated";
}

export function toInstance(pod: SeenPod, base: InstanceBase, clock: Clock): RunpodInstance {
  const direct = pod.ssh?.direct;
  return {
    ...base,
    state: pod.status,
    ...present({
      statusReason: pod.isSilent === true ? NO_SSHD : states.reasonOf(pod.status),
      region: pod.dataCenterId,
      spec: specOf(pod),
      image: pod.image,
      cloud: pod.cloud,
      resources: resourcesOf(pod),
      ssh: direct && { host: direct.host, port: direct.port, user: direct.username ?? "root" },
      price: priceOf(pod, clock),
    }),
    addresses: addressesOf(direct?.host),
    isSpot: false,
    createdAt: utcTime(pod.createdAt),
    portMappings: mappingsOf(pod),
    volumeIds: volumesOf(pod),
  };
}

const NO_SSHD = { code: "NO_SSHD", message: "RunPod reports the address of sshd, and nothing answers there yet" };

/** The network volumes that a pod has mounted. */
export function volumesOf({ mounts }: Pick<WirePod, "mounts">): readonly string[] {
  return (mounts?.network ?? []).map(({ volumeId }) => volumeId);
}

/** What a spawn would name to get such a pod. */
function specOf({ gpu, cpu }: WirePod): string | undefined {
  if (gpu !== undefined) return gpu.id;
  if (cpu === undefined) return undefined;
  return cpu.vcpuCount === undefined ? cpu.id : `${cpu.id}-${cpu.vcpuCount}`;
}

// RunPod counts in GB.
const GIGABYTE = 1_000_000_000;

function resourcesOf({ gpu, cpu, disk }: WirePod): InstanceResources | undefined {
  const size = gpu ?? cpu;
  const resources = present({
    cpus: positive(size?.vcpuCount),
    memoryBytes: positive(size?.memory, GIGABYTE),
    diskBytes: positive(disk, GIGABYTE),
    gpus: gpu && { type: gpu.id, count: gpu.count },
  });
  return Object.keys(resources).length === 0 ? undefined : resources;
}

/** What the pod costs now. RunPod goes on telling the price of a running pod for one that is stopped. */
function priceOf({ cost, status }: WirePod, clock: Clock): Price | undefined {
  return ["pending", "running"].includes(states.statusOf(status)) ? livePrice(cost, clock) : undefined;
}

function addressesOf(host: string | undefined): Instance["addresses"] {
  if (host === undefined) return {};
  if (isIPv4(host)) return { publicIpv4: host };
  return isIPv6(host) ? { ipv6: host } : {};
}

function mappingsOf({ runtime }: WirePod): RunpodInstance["portMappings"] {
  return (runtime?.ports ?? []).flatMap(({ private: port, public: publicPort, type, ip }) =>
    publicPort === undefined ? [] : [{ port, publicPort, type, ...present({ host: ip }) }],
  );
}
