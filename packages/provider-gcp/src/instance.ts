import type { Instance, InstanceStatus } from "@slipway/core";
import { type InstanceBase, type LifeCycle, present, statusTable, utcTime } from "@slipway/provider-kit/driver";
import { builtInGpus } from "./machine-type.ts";
import { type GcpSpawnOptions, regionOf } from "./remote.ts";
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

/** What the methods of capabilities use of the life cycle. */
export type GcpLifeCycle = Pick<
  LifeCycle<WireInstance, GcpInstance, GcpSpawnOptions, unknown>,
  "spawn" | "terminate" | "managed" | "view"
>;

// TERMINATED is Google's word for stopped: name and disks are held. What was deleted is not there any more.
const states = statusTable({
  PENDING: "pending",
  PROVISIONING: "pending",
  STAGING: "pending",
  RUNNING: "running",
  STOPPING: "stopping",
  PENDING_STOP: "stopping",
  DEPROVISIONING: "terminating",
  TERMINATED: "stopped",
  STOPPED: "stopped",
  SUSPENDING: "stopping",
  SUSPENDED: "hibernated",
  // It comes back by itself.
  REPAIRING: "pending",
});

export function statusOf({ status, resourceStatus }: WireInstance): InstanceStatus {
  const known = states.statusOf(status);
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
  const resources = resourcesOf(wire);
  const terminateBy = terminateByOf(wire);
  return {
    ...base,
    state: wire.status,
    region: regionOf(wire.zone),
    zone: wire.zone,
    ...present({
      statusReason: wire.statusMessage ? { code: wire.status, message: wire.statusMessage } : undefined,
      spec: wire.machineType,
      image: wire.metadata?.items["slipway-image"],
      resources: Object.keys(resources).length === 0 ? undefined : resources,
      ssh: host === undefined || user === undefined ? undefined : { host, port: 22, user },
      terminateBy: terminateBy === null ? undefined : { at: terminateBy, by: "remote" },
    }),
    addresses: present({ publicIpv4, privateIpv4, ipv6 }),
    isSpot: wire.scheduling?.provisioningModel === "SPOT" || wire.scheduling?.preemptible === true,
    createdAt: utcTime(wire.creationTimestamp),
  };
}

/** The time at which Google deletes it; it keeps none for what is stopped or suspended. */
function terminateByOf(wire: WireInstance): string | null {
  const { scheduling, resourceStatus } = wire;
  if (scheduling?.instanceTerminationAction !== "DELETE") return null;
  const kept = utcTime(resourceStatus?.scheduling?.terminationTimestamp);
  if (kept !== null || ["stopped", "stopping", "hibernated"].includes(statusOf(wire))) return kept;
  return utcTime(scheduling.terminationTime);
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
  return present({
    cpus: cpus === undefined ? undefined : Number(cpus),
    memoryBytes: memoryMb === undefined ? undefined : Number(memoryMb) * 1024 ** 2,
    diskBytes: boot === undefined ? undefined : Number(boot) * GIGABYTE,
    gpus,
  });
}
