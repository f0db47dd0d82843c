import type { Instance, InstanceResources, InstanceStatus } from "@slipway/core";
import type { InstanceBase } from "@slipway/provider-kit/driver";
import { timeIn } from "./context.ts";
import { imageText } from "./images.ts";
import type { SeenMachine } from "./lookup.ts";
import type { Tag } from "./tags.ts";
import type { WireInfo, WireMachine } from "./wire.ts";

/** A machine of OrbStack's, with what it shows beyond the contract. */
export interface OrbstackInstance extends Instance {
  /** OrbStack's own word for its state. */
  readonly state: string;
  /** Its name in OrbStack, for `orbctl`, ssh and `NAME.orb.local`. */
  readonly machineName: string;
  /** The display name that was asked for. */
  readonly name?: string;
  /** Does it not see this Mac's files? Null if it is not told. */
  readonly isolated: boolean | null;
  /** Of the options that it was spawned with; empty if it was not tagged yet. */
  readonly specHash: string;
}

const STATUSES: ReadonlyMap<string, InstanceStatus> = new Map([
  ["creating", "pending"],
  ["provisioning", "pending"],
  ["starting", "pending"],
  ["running", "running"],
  ["stopping", "stopping"],
  ["stopped", "stopped"],
  ["deleting", "terminating"],
]);

export function statusOf(state: string): InstanceStatus {
  return STATUSES.get(state) ?? "unknown";
}

/** OrbStack's own ssh server, which knows the machine by the user's name and needs no server inside. */
const SSH_PORT = 32_222;

const NOT_TAGGED = {
  code: "not-tagged",
  message: "it was made and not finished: a spawn of the same key completes it",
};

export function toInstance({ record, info, owned }: SeenMachine, base: InstanceBase): OrbstackInstance {
  const { status } = base;
  const resources = resourcesOf(record, owned?.tag);
  return {
    ...base,
    // One that was not tagged yet is of an owner whom its name alone does not tell.
    owner: base.owner === "" ? null : base.owner,
    state: record.state,
    machineName: record.name,
    ...(owned?.tag === null ? { statusReason: NOT_TAGGED } : {}),
    image: imageText(record.image),
    isolated: record.config.isolated ?? null,
    ...(resources === undefined ? {} : { resources }),
    addresses: status === "running" && info !== null ? addressesOf(info) : {},
    ...(status === "running" ? { ssh: { host: "127.0.0.1", port: SSH_PORT, user: `root@${record.name}` } } : {}),
    isSpot: false,
    createdAt: timeIn(record.id),
  };
}

function addressesOf({ ip4, ip6 }: WireInfo): Instance["addresses"] {
  const [privateIpv4, ipv6] = [ip4 ?? "", ip6 ?? ""];
  return { ...(privateIpv4 === "" ? {} : { privateIpv4 }), ...(ipv6 === "" ? {} : { ipv6 }) };
}

const MEBIBYTE = 1024 ** 2;

/** The limits, where the answer has them, else what was asked for. A machine without limits has all of OrbStack's. */
function resourcesOf({ config }: WireMachine, tag: Tag | null | undefined): InstanceResources | undefined {
  const { cpu_limit, memory_limit_mib, disk_limit_bytes } = config;
  const cpus = cpu_limit ?? tag?.resources?.cpus;
  const memoryBytes = memory_limit_mib === undefined ? tag?.resources?.memoryBytes : memory_limit_mib * MEBIBYTE;
  const diskBytes = disk_limit_bytes ?? tag?.resources?.diskBytes;
  if (cpus === undefined && memoryBytes === undefined && diskBytes === undefined) return undefined;
  return {
    ...(cpus === undefined ? {} : { cpus }),
    ...(memoryBytes === undefined ? {} : { memoryBytes }),
    ...(diskBytes === undefined ? {} : { diskBytes }),
  };
}
