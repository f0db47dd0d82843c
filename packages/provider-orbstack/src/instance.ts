import type { BootstrapState, Instance, InstanceResources, InstanceStatus } from "@slipway/core";
import { timeIn } from "./context.ts";
import { PROVIDER } from "./errors.ts";
import { imageText } from "./images.ts";
import { type Owned, ownerOf } from "./tags.ts";
import type { WireInfo } from "./wire.ts";

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

export interface Seen {
  /** Whose eyes: a machine that was not tagged yet is known by its name. */
  readonly self: string;
  /** Where one machine was asked for, and not the list. */
  readonly info?: WireInfo | undefined;
  readonly bootstrap?: BootstrapState | undefined;
  /** Known by whoever asked for this very key. */
  readonly key?: string | undefined;
}

export function materialize(owned: Owned, { self, info, bootstrap, key }: Seen): OrbstackInstance {
  const { machine, tag } = owned;
  const status = statusOf(machine.state);
  const resources = resourcesOf(owned);
  return {
    id: machine.id,
    nativeId: machine.id,
    provider: PROVIDER,
    status,
    state: machine.state,
    machineName: machine.name,
    key: tag?.key ?? key ?? null,
    owner: ownerOf(owned, self),
    specHash: tag?.specHash ?? "",
    ...(tag === null ? { statusReason: NOT_TAGGED } : {}),
    ...(tag?.displayName === undefined ? {} : { name: tag.displayName }),
    image: imageText(machine.image),
    isolated: machine.config.isolated ?? null,
    ...(resources === undefined ? {} : { resources }),
    addresses: status === "running" && info !== undefined ? addressesOf(info) : {},
    ...(status === "running" ? { ssh: { host: "127.0.0.1", port: SSH_PORT, user: `root@${machine.name}` } } : {}),
    isSpot: false,
    ...(bootstrap === undefined ? {} : { bootstrap }),
    labels: tag?.labels ?? {},
    createdAt: timeIn(machine.id),
    ...(tag?.expiresAt === undefined ? {} : { expiresAt: tag.expiresAt }),
  };
}

function addressesOf({ ip4, ip6 }: WireInfo): Instance["addresses"] {
  const [privateIpv4, ipv6] = [ip4 ?? "", ip6 ?? ""];
  return { ...(privateIpv4 === "" ? {} : { privateIpv4 }), ...(ipv6 === "" ? {} : { ipv6 }) };
}

const MEBIBYTE = 1024 ** 2;

/** The limits, where the answer has them, else what was asked for. A machine without limits has all of OrbStack's. */
function resourcesOf({ machine, tag }: Owned): InstanceResources | undefined {
  const { cpu_limit, memory_limit_mib, disk_limit_bytes } = machine.config;
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
