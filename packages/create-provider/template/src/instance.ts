import type { Instance } from "@slipway/core";
import { type InstanceBase, present, statusTable } from "@slipway/provider-kit/driver";
import type { WireMachine } from "./wire.ts";

/** An instance, with what it shows beyond the contract. */
export interface __Name__Instance extends Instance {
  /** The remote's own word for its status. */
  readonly state: string;
  /** The display name that was asked for. */
  readonly name?: string;
}

/** A word that the table does not have is `unknown`, and never a failure. */
export const { statusOf, reasonOf } = statusTable({
  starting: "pending",
  up: "running",
  crashed: { status: "error", reason: "the machine ended by itself" },
  halting: "terminating",
  gone: "terminated",
  // #if hibernation
  saved: "hibernated",
  // #end
});

/** The instance; `base` is what follows from its owner, its key and its status. */
export function toInstance(wire: WireMachine, base: InstanceBase): __Name__Instance {
  return {
    ...base,
    state: wire.state,
    ...present({ statusReason: reasonOf(wire.state) }),
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
