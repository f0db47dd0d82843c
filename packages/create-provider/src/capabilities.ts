/** What a capability is to the package that is written. */
export interface CapabilityChoice {
  readonly name: string;
  readonly about: string;
  /** False: the template has no code for it, and the package declares it off. */
  readonly offered: boolean;
  /** Why it is off where nobody chose it; the author puts the truth in its place. */
  readonly whyNot: string;
}

/** The eleven of the contract, in its order. */
export const CAPABILITIES: readonly CapabilityChoice[] = [
  { name: "snapshots", about: "copies of instances that others start from", offered: true, whyNot: "has no snapshots" },
  { name: "spot", about: "interruptible instances", offered: false, whyNot: "sells no interruptible capacity" },
  { name: "gpu", about: "accelerators on request", offered: true, whyNot: "has no accelerators" },
  { name: "multiRegion", about: "more than one region", offered: true, whyNot: "has one region alone" },
  {
    name: "persistentVolumes",
    about: "disks that outlive instances",
    offered: true,
    whyNot: "has no disks of their own",
  },
  {
    name: "warmVolumes",
    about: "disks that running instances claim",
    offered: false,
    whyNot: "attaches disks only at creation",
  },
  {
    name: "hibernation",
    about: "stop with memory kept",
    offered: true,
    whyNot: "cannot keep the memory of a stopped machine",
  },
  { name: "costExplorer", about: "what was spent", offered: false, whyNot: "tells no costs" },
  {
    name: "tailscaleNative",
    about: "on a tailnet without an agent",
    offered: false,
    whyNot: "joins no tailnet by itself",
  },
  {
    name: "idempotentSpawn",
    about: "the remote itself prevents a second instance of one key",
    offered: true,
    whyNot: "creates a second machine if it is asked twice: use launch with a store",
  },
  {
    name: "customNetworking",
    about: "networks to choose from",
    offered: false,
    whyNot: "has no networks to choose from",
  },
];
