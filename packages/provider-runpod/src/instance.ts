import { isIPv4, isIPv6 } from "node:net";
import {
  type Clock,
  type Instance,
  type InstanceResources,
  type InstanceStatus,
  type Price,
  timestamp,
} from "@slipway/core";
import type { InstanceBase } from "@slipway/provider-kit/driver";
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

interface StatusRow {
  readonly status: InstanceStatus;
  readonly reason?: string;
}

const STATUSES: ReadonlyMap<string, StatusRow> = new Map<string, StatusRow>([
  ["PROVISIONING", { status: "pending" }],
  ["STARTING", { status: "pending" }],
  ["RUNNING", { status: "running" }],
  ["EXITED", { status: "stopped" }],
  ["ERROR", { status: "error", reason: "RunPod reports an unrecoverable error of the container" }],
  ["TERMINATED", { status: "terminated" }],
]);

/** RUNNING alone is not running: RunPod says so before the container can be reached. */
export function statusOf({ status, ssh, isSilent }: Pick<SeenPod, "status" | "ssh" | "isSilent">): InstanceStatus {
  const known = STATUSES.get(status)?.status ?? "unknown";
  return known === "running" && (ssh?.direct === undefined || isSilent === true) ? "pending" : known;
}

export function isTerminated(pod: Pick<WirePod, "status">): boolean {
  return STATUSES.get(pod.status)?.status === "terminated";
}

export function toInstance(pod: SeenPod, base: InstanceBase, clock: Clock): RunpodInstance {
  const reason = reasonOf(pod);
  const resources = resourcesOf(pod);
  const price = priceOf(pod, clock);
  const direct = pod.ssh?.direct;
  return {
    ...base,
    state: pod.status,
    ...(reason === undefined ? {} : { statusReason: reason }),
    ...present("region", pod.dataCenterId),
    ...present("spec", specOf(pod)),
    ...present("image", pod.image),
    ...present("cloud", pod.cloud),
    ...(resources === undefined ? {} : { resources }),
    addresses: addressesOf(direct?.host),
    ...(direct === undefined ? {} : { ssh: { host: direct.host, port: direct.port, user: direct.username ?? "root" } }),
    isSpot: false,
    ...(price === undefined ? {} : { price }),
    createdAt: utc(pod.createdAt),
    portMappings: mappingsOf(pod),
    volumeIds: volumesOf(pod),
  };
}

function reasonOf({ status, isSilent }: SeenPod): Instance["statusReason"] {
  if (isSilent === true) {
    return { code: "NO_SSHD", message: "RunPod reports the address of sshd, and nothing answers there yet" };
  }
  const message = STATUSES.get(status)?.reason;
  return message === undefined ? undefined : { code: status, message };
}

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
  const resources: InstanceResources = {
    ...above("cpus", size?.vcpuCount, 1),
    ...above("memoryBytes", size?.memory, GIGABYTE),
    ...above("diskBytes", disk, GIGABYTE),
    ...(gpu === undefined ? {} : { gpus: { type: gpu.id, count: gpu.count } }),
  };
  return Object.keys(resources).length === 0 ? undefined : resources;
}

/** What the pod costs now. RunPod goes on telling the price of a running pod for one that is stopped. */
function priceOf({ cost, status }: WirePod, clock: Clock): Price | undefined {
  const { status: known = "unknown" } = STATUSES.get(status) ?? {};
  if (cost === undefined || cost <= 0 || (known !== "pending" && known !== "running")) return undefined;
  return { usdPerHour: cost, per: "instance", asOf: timestamp(clock), source: "live" };
}

function addressesOf(host: string | undefined): Instance["addresses"] {
  if (host === undefined) return {};
  if (isIPv4(host)) return { publicIpv4: host };
  return isIPv6(host) ? { ipv6: host } : {};
}

function mappingsOf({ runtime }: WirePod): RunpodInstance["portMappings"] {
  return (runtime?.ports ?? []).flatMap(({ private: port, public: publicPort, type, ip }) =>
    publicPort === undefined ? [] : [{ port, publicPort, type, ...present("host", ip) }],
  );
}

function utc(text: string | undefined): string | null {
  const time = Date.parse(text ?? "");
  return Number.isNaN(time) ? null : new Date(time).toISOString();
}

function present<K extends string>(name: K, value: string | undefined): { readonly [_ in K]?: string } {
  // A computed name of type K makes an object with that one field.
  return value === undefined || value === "" ? {} : ({ [name]: value } as { readonly [_ in K]?: string });
}

function above<K extends string>(name: K, value: number | undefined, unit: number): { readonly [_ in K]?: number } {
  return value === undefined || value <= 0 ? {} : ({ [name]: value * unit } as { readonly [_ in K]?: number });
}
