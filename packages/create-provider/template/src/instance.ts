import type { Instance, InstanceStatus } from "@slipway/core";
import { PROVIDER } from "./errors.ts";
import { labelsOf, ownershipOf } from "./ownership.ts";
import type { WireMachine } from "./wire.ts";

/** An instance, with what it shows beyond the contract. */
export interface __Name__Instance extends Instance {
  /** The remote's own word for its status. */
  readonly state: string;
  /** The display name that was asked for. */
  readonly name?: string;
}

const STATUSES: ReadonlyMap<string, InstanceStatus> = new Map([
  ["starting", "pending"],
  ["up", "running"],
  ["crashed", "error"],
  ["halting", "terminating"],
  ["gone", "terminated"],
  // #if hibernation
  ["saved", "hibernated"],
  // #end
]);

/** An instance of such a status is done with: a spawn of its key makes a new one, and terminate leaves it alone. */
export const ENDING: ReadonlySet<InstanceStatus> = new Set(["terminating", "terminated"]);

/** A word that the table does not have is `unknown`, and never a failure. */
export function statusOf(state: string): InstanceStatus {
  return STATUSES.get(state) ?? "unknown";
}

export function materialize(wire: WireMachine): __Name__Instance {
  const ownership = ownershipOf(wire.tags);
  const status = statusOf(wire.state);
  return {
    id: wire.id,
    nativeId: wire.id,
    provider: PROVIDER,
    status,
    state: wire.state,
    key: ownership?.key ?? null,
    owner: ownership?.owner ?? null,
    ...(ownership?.displayName === undefined ? {} : { name: ownership.displayName }),
    ...(status === "error" ? { statusReason: { code: wire.state, message: "the machine ended by itself" } } : {}),
    spec: wire.type,
    image: wire.image,
    // #if multiRegion
    region: wire.region,
    // #end
    // #if gpu
    ...(wire.gpus === null ? {} : { resources: { gpus: wire.gpus } }),
    // #end
    addresses: wire.address === null ? {} : { publicIpv4: wire.address },
    ...(wire.address === null ? {} : { ssh: { host: wire.address, port: 22, user: "root" } }),
    isSpot: false,
    labels: labelsOf(wire.tags),
    createdAt: wire.createdAt,
    ...(ownership?.expiresAt === undefined ? {} : { expiresAt: ownership.expiresAt }),
  };
}
