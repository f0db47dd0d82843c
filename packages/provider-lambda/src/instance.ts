import type { Clock, Instance, InstanceResources, Price } from "@slipway/core";
import {
  type InstanceBase,
  livePrice,
  positive,
  present,
  type StatusTable,
  statusTable,
} from "@slipway/provider-kit/driver";
import type { WireInstance, WireInstanceType } from "./wire.ts";

/** A Lambda instance, with what it shows beyond the contract. Its Jupyter token and address are not among that. */
export interface LambdaInstance extends Instance {
  /** Lambda's own word for its status. */
  readonly state: string;
  /** The name at Lambda: `nameFor(owner, key)`. */
  readonly remoteName?: string;
  /** The display name that was asked for. */
  readonly name?: string;
  readonly hostname?: string;
  /** Of the account, by name; exactly one. */
  readonly sshKeyNames: readonly string[];
  readonly fileSystemNames: readonly string[];
  /** Of the options that it was spawned with; empty where it has none. */
  readonly specHash: string;
}

// `unhealthy` may become `active` again, so it is not `error`, which ends all waiting.
export const statuses: StatusTable = statusTable({
  booting: "pending",
  active: "running",
  unhealthy: { status: "unknown", reason: "Lambda has lost contact with the machine; it may come back" },
  terminating: "terminating",
  terminated: "terminated",
  preempted: { status: "error", reason: "Lambda has taken the machine back" },
});

export function toInstance(wire: WireInstance, base: InstanceBase, clock: Clock): LambdaInstance {
  return {
    ...base,
    state: wire.status,
    ...present({
      statusReason: statuses.reasonOf(wire.status),
      hostname: wire.hostname,
      region: wire.region?.name,
      spec: wire.instance_type?.name,
      image: wire.image?.family ?? wire.image?.id,
      resources: resourcesOf(wire.instance_type),
      price: priceOf(wire.instance_type, clock),
      ssh: wire.ip ? { host: wire.ip, port: 22, user: "ubuntu" } : undefined,
    }),
    addresses: present({ publicIpv4: wire.ip, privateIpv4: wire.private_ip }),
    isSpot: false,
    // Lambda does not tell when an instance was made.
    createdAt: null,
    sshKeyNames: wire.ssh_key_names ?? [],
    fileSystemNames: wire.file_system_names ?? [],
  };
}

/** The hourly price, asked for now; undefined where Lambda tells none. */
export function priceOf(type: WireInstanceType | undefined, clock: Clock): Price | undefined {
  return livePrice(usdPerHourOf(type), clock);
}

export function usdPerHourOf(type: WireInstanceType | undefined): number | undefined {
  const cents = positive(type?.price_cents_per_hour);
  return cents === undefined ? undefined : cents / 100;
}

/** The accelerator in the name of a machine type, as `a10` in `gpu_1x_a10`. */
export function acceleratorOf(typeName: string): string | undefined {
  return /^gpu_\d+x_(.+)$/.exec(typeName)?.[1];
}

const GIBIBYTE = 1024 ** 3;

/** What a machine of the type has; undefined where Lambda tells nothing of it. */
export function resourcesOf(type: WireInstanceType | undefined): InstanceResources | undefined {
  if (type?.specs === undefined) return undefined;
  const { vcpus, memory_gib, storage_gib, gpus: count = 0 } = type.specs;
  const gpuType = acceleratorOf(type.name) ?? type.gpu_description ?? "";
  return present({
    cpus: positive(vcpus),
    memoryBytes: bytesOf(memory_gib),
    diskBytes: bytesOf(storage_gib),
    gpus: count === 0 || gpuType === "" ? undefined : { type: gpuType, count },
  });
}

function bytesOf(gibibytes: number | undefined): number | undefined {
  const bytes = positive(gibibytes, GIBIBYTE);
  return bytes === undefined ? undefined : Math.round(bytes);
}
