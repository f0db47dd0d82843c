/** The remote's own words. The provider has a table from these to the contract's. */
export type MachineState =
  | "draft"
  | "building"
  | "active"
  | "halting"
  | "halted"
  | "suspending"
  | "suspended"
  | "waking"
  | "deleting"
  | "deleted"
  | "failed"
  | (string & {});

/** What both owner and key of Slipway are written as, and what makes a thing ours. */
export interface Tag {
  readonly owner: string;
  readonly key: string;
}

export interface MachineBoot {
  readonly checksum: string;
  readonly phase: "queued" | "executing" | "done";
  readonly exitCode: number | null;
}

export interface MountedDisk {
  readonly id: string;
  readonly path: string;
}

export interface Machine {
  readonly id: string;
  readonly region: string;
  readonly zone: string;
  /** Unique among what is not deleted. */
  readonly name: string;
  readonly title: string | null;
  readonly tag: Tag | null;
  readonly labels: Readonly<Record<string, string>>;
  readonly state: MachineState;
  readonly reason: { readonly code: string; readonly text: string } | null;
  /** What was asked for, as the client's checksum. */
  readonly fingerprint: string;
  /** Counts the machines that this tag has had, from 1. */
  readonly generation: number;
  readonly spec: string;
  readonly image: string;
  readonly cpus: number;
  readonly memoryBytes: number;
  readonly diskBytes: number;
  readonly gpu: { readonly type: string; readonly count: number } | null;
  readonly spot: boolean;
  readonly suspendable: boolean;
  readonly usdPerHour: number | null;
  readonly createdAt: number;
  readonly deletedAt: number | null;
  readonly expiresAt: string | null;
  readonly terminateBy: string | null;
  readonly publicIp: string | null;
  readonly privateIp: string | null;
  readonly boot: MachineBoot | null;
  readonly ports: readonly { readonly port: number; readonly protocol: string; readonly hostPort: number }[];
  readonly sshKeys: readonly string[];
  readonly disks: readonly MountedDisk[];
  readonly capture: string | null;
  readonly tailnet: { readonly hostname: string; readonly tags: readonly string[] } | null;
  readonly network: {
    readonly id: string | null;
    readonly subnet: string | null;
    readonly firewalls: readonly string[];
    readonly isolated: boolean;
  } | null;
  /** Rises with every change of state, so that what was planned for an older one does not happen. */
  readonly epoch: number;
}

export interface Disk {
  readonly id: string;
  readonly region: string;
  readonly zone: string;
  readonly name: string;
  readonly tag: Tag | null;
  readonly state: "formatting" | "free" | "mounted" | "erasing" | (string & {});
  readonly sizeBytes: number;
  readonly pool: string | null;
  readonly machine: string | null;
  readonly createdAt: number;
}

/** A copy of a machine's disk. */
export interface Capture {
  readonly id: string;
  readonly region: string;
  readonly name: string;
  readonly title: string | null;
  readonly tag: Tag | null;
  readonly state: "copying" | "ready" | "broken" | (string & {});
  readonly machine: string;
  readonly sizeBytes: number;
  readonly createdAt: number;
}

/** A request for interruptible capacity. */
export interface Bid {
  readonly id: string;
  readonly region: string;
  readonly tag: Tag;
  readonly state: "waiting" | "filled" | "lost" | "withdrawn";
  readonly fingerprint: string;
  readonly machine: string | null;
  readonly createdAt: number;
}

/** A container that is a node of a Kubernetes cluster. */
export interface Node {
  readonly id: string;
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly state: "creating" | "up" | "exited" | (string & {});
  readonly image: string;
  readonly fingerprint: string;
  readonly address: string | null;
  readonly hostPort: number | null;
  readonly createdAt: number;
}
