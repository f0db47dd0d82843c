import type { Instance, InstanceStatus } from "@slipway/core";
import type { InstanceBase } from "@slipway/provider-kit/driver";
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

/** A word that the table does not have is `unknown`, and never a failure. */
export function statusOf(state: string): InstanceStatus {
  return STATUSES.get(state) ?? "unknown";
}

/** The instance; `base` is what follows from its owner, its key and its status. */
export function toInstance(wire: WireMachine, base: InstanceBase): __Name__Instance {
  return {
    ...base,
    state: wire.state,
    ...(base.status === "error" ? { statusReason: { code: wire.state, message: "the machine ended by itself" } } : {}),
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
    createdAt: wire.createdAt,
  };
}
