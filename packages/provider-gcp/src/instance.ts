import type { Instance, InstanceStatus } from "@slipway/core";
import type { InstanceBase } from "@slipway/provider-kit/driver";
import { builtInGpus } from "./machine-type.ts";
import { regionOf } from "./remote.ts";
import type { WireInstance } from "./wire.ts";

/** A Compute Engine instance, with what it shows beyond the contract. */
export interface GcpInstance extends Instance {
  /** Google's own word for its status. */
  readonly state: string;
  /** The name at Google: `nameFor(owner, key)`. */
  readonly remoteName?: string;
  /** The display name that was asked for. */
  readonly name?: string;
  /** Of the options that it was spawned with; empty where it has none. */
  readonly specHash: string;
}

// TERMINATED is Google's word for stopped: name and disks are held. What was deleted is not there any more.
const STATUSES: ReadonlyMap<string, InstanceStatus> = new Map<string, InstanceStatus>([
  ["PENDING", "pending"],
  ["PROVISIONING", "pending"],
  ["STAGING", "pending"],
  ["RUNNING", "running"],
  ["STOPPING", "stopping"],
  ["PENDING_STOP", "stopping"],
  ["DEPROVISIONING", "terminating"],
  ["TERMINATED", "stopped"],
  ["STOPPED", "stopped"],
  ["SUSPENDING", "stopping"],
  ["SUSPENDED", "hibernated"],
  // It comes back by itself.
  ["REPAIRING", "pending"],
]);

export function statusOf({ status, resourceStatus }: WireInstance): InstanceStatus {
  const known = STATUSES.get(status) ?? "unknown";
  // One word serves a stop and a deletion.
  const isDeletion = resourceStatus?.shutdownDetails?.targetState === "DELETED";
  return known === "stopping" && isDeletion ? "terminating" : known;
}

const GIGABYTE = 1024 ** 3;

export function toInstance(wire: WireInstance, base: InstanceBase): GcpInstance {
  const [nic] = wire.networkInterfaces ?? [];
  const publicIpv4 = nic?.accessConfigs?.find(({ natIP }) => natIP !== undefined && natIP !== "")?.natIP;
  const ipv6 = nic?.ipv6AccessConfigs?.find(({ externalIpv6 }) => externalIpv6 !== undefined)?.externalIpv6;
  const { networkIP: privateIpv4 } = nic ?? {};
  const host = publicIpv4 ?? privateIpv4;
  const user = wire.metadata?.sshUser;
  const image = wire.metadata?.items["slipway-image"];
  const createdAt = timeOf(wire.creationTimestamp);
  const resources = resourcesOf(wire);
  const { statusMessage } = wire;
  const terminateBy = terminateByOf(wire);
  return {
    ...base,
    state: wire.status,
    ...(statusMessage === undefined || statusMessage === ""
      ? {}
      : { statusReason: { code: wire.status, message: statusMessage } }),
    region: regionOf(wire.zone),
    zone: wire.zone,
    ...(wire.machineType === undefined ? {} : { spec: wire.machineType }),
    ...(image === undefined ? {} : { image }),
    ...(Object.keys(resources).length === 0 ? {} : { resources }),
    addresses: {
      ...(publicIpv4 === undefined ? {} : { publicIpv4 }),
      ...(privateIpv4 === undefined ? {} : { privateIpv4 }),
      ...(ipv6 === undefined ? {} : { ipv6 }),
    },
    ...(host === undefined || user === undefined ? {} : { ssh: { host, port: 22, user } }),
    isSpot: wire.scheduling?.provisioningModel === "SPOT" || wire.scheduling?.preemptible === true,
    ...(terminateBy === null ? {} : { terminateBy: { at: terminateBy, by: "remote" } }),
    createdAt,
  };
}

/** The time at which Google deletes it; it keeps none for what is stopped or suspended. */
function terminateByOf(wire: WireInstance): string | null {
  const { scheduling, resourceStatus } = wire;
  if (scheduling?.instanceTerminationAction !== "DELETE") return null;
  const kept = timeOf(resourceStatus?.scheduling?.terminationTimestamp);
  if (kept !== null || ["stopped", "stopping", "hibernated"].includes(statusOf(wire))) return kept;
  return timeOf(scheduling.terminationTime);
}

/** Google writes times with an offset. */
export function timeOf(text: string | undefined): string | null {
  const ms = Date.parse(text ?? "");
  return Number.isNaN(ms) ? null : new Date(ms).toISOString();
}

function resourcesOf({
  guestAccelerators,
  machineType = "",
  disks = [],
}: WireInstance): NonNullable<Instance["resources"]> {
  const [attached] = guestAccelerators ?? [];
  const { acceleratorType: type, acceleratorCount: count } = attached ?? {};
  const gpus = type !== undefined && count !== undefined ? { type, count } : builtInGpus(machineType);
  const boot = disks.find((disk) => disk.boot === true)?.diskSizeGb;
  const [, cpus, memoryMb] = /(?:^|-)custom-(\d+)-(\d+)(?:-ext)?$/.exec(machineType) ?? [];
  return {
    ...(cpus === undefined ? {} : { cpus: Number(cpus), memoryBytes: Number(memoryMb) * 1024 ** 2 }),
    ...(boot === undefined ? {} : { diskBytes: Number(boot) * GIGABYTE }),
    ...(gpus === undefined ? {} : { gpus }),
  };
}
