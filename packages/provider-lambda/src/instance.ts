import {
  type Clock,
  type Instance,
  type InstanceResources,
  type InstanceStatus,
  type Price,
  timestamp,
} from "@slipway/core";
import type { InstanceBase } from "@slipway/provider-kit/driver";
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

interface StatusRow {
  readonly status: InstanceStatus;
  readonly reason?: string;
}

// `unhealthy` may become `active` again, so it is not `error`, which ends all waiting.
const STATUSES: ReadonlyMap<string, StatusRow> = new Map<string, StatusRow>([
  ["booting", { status: "pending" }],
  ["active", { status: "running" }],
  ["unhealthy", { status: "unknown", reason: "Lambda has lost contact with the machine; it may come back" }],
  ["terminating", { status: "terminating" }],
  ["terminated", { status: "terminated" }],
  ["preempted", { status: "error", reason: "Lambda has taken the machine back" }],
]);

export function statusOf(state: string): InstanceStatus {
  return STATUSES.get(state)?.status ?? "unknown";
}

export function toInstance(wire: WireInstance, base: InstanceBase, clock: Clock): LambdaInstance {
  const row = STATUSES.get(wire.status);
  const price = priceOf(wire.instance_type, clock);
  const resources = resourcesOf(wire.instance_type);
  return {
    ...base,
    state: wire.status,
    ...(row?.reason === undefined ? {} : { statusReason: { code: wire.status, message: row.reason } }),
    ...present("hostname", wire.hostname),
    ...present("region", wire.region?.name),
    ...present("spec", wire.instance_type?.name),
    ...present("image", wire.image?.family ?? wire.image?.id),
    ...(resources === undefined ? {} : { resources }),
    addresses: { ...present("publicIpv4", wire.ip), ...present("privateIpv4", wire.private_ip) },
    ...(isTold(wire.ip) ? { ssh: { host: wire.ip, port: 22, user: "ubuntu" } } : {}),
    isSpot: false,
    ...(price === undefined ? {} : { price }),
    // Lambda does not tell when an instance was made.
    createdAt: null,
    sshKeyNames: wire.ssh_key_names ?? [],
    fileSystemNames: wire.file_system_names ?? [],
  };
}

/** The hourly price, asked for now; undefined where Lambda tells none. */
export function priceOf(type: WireInstanceType | undefined, clock: Clock): Price | undefined {
  const cents = type?.price_cents_per_hour;
  if (cents === undefined || cents <= 0) return undefined;
  return { usdPerHour: cents / 100, per: "instance", asOf: timestamp(clock), source: "live" };
}

/** The accelerator in the name of a machine type, as `a10` in `gpu_1x_a10`. */
export function acceleratorOf(typeName: string): string | undefined {
  return /^gpu_\d+x_(.+)$/.exec(typeName)?.[1];
}

const GIBIBYTE = 1024 ** 3;

/** What a machine of the type has; undefined where Lambda tells nothing of it. */
export function resourcesOf(type: WireInstanceType | undefined): InstanceResources | undefined {
  const specs = type?.specs;
  if (type === undefined || specs === undefined) return undefined;
  const { vcpus, memory_gib, storage_gib, gpus } = specs;
  const gpuType = acceleratorOf(type.name) ?? type.gpu_description;
  return {
    ...above("cpus", vcpus),
    ...above("memoryBytes", bytesOf(memory_gib)),
    ...above("diskBytes", bytesOf(storage_gib)),
    ...(gpus === undefined || gpus === 0 || !isTold(gpuType) ? {} : { gpus: { type: gpuType, count: gpus } }),
  };
}

const bytesOf = (gibibytes: number | undefined): number | undefined =>
  gibibytes === undefined ? undefined : Math.round(gibibytes * GIBIBYTE);
const isTold = (value: string | undefined): value is string => value !== undefined && value !== "";

function present<K extends string>(name: K, value: string | undefined): { readonly [_ in K]?: string } {
  // A computed name of type K makes an object with that one field.
  return isTold(value) ? ({ [name]: value } as { readonly [_ in K]?: string }) : {};
}

function above<K extends string>(name: K, value: number | undefined): { readonly [_ in K]?: number } {
  return value === undefined || value <= 0 ? {} : ({ [name]: value } as { readonly [_ in K]?: number });
}
