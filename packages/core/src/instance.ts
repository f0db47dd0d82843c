import type { TerminateBy } from "./options.ts";
import { type Price, priceShape } from "./price.ts";
import type { AnswerOf } from "./shape.ts";

/**
 * Where an instance is in its life. `unknown` is a remote status that the provider has no word for: it is never thrown
 * away, and the next `get` may say more. `error` and `terminated` are final for waiting; `stopped` and `hibernated` still
 * exist and may still cost money.
 */
export type InstanceStatus =
  | "pending"
  | "running"
  | "stopping"
  | "stopped"
  | "hibernated"
  | "terminating"
  | "terminated"
  | "error"
  | "unknown";

const STATUS: { readonly [S in InstanceStatus]: true } = {
  pending: true,
  running: true,
  stopping: true,
  stopped: true,
  hibernated: true,
  terminating: true,
  terminated: true,
  error: true,
  unknown: true,
};
// Its keys are these words and no other.
export const INSTANCE_STATUSES: readonly InstanceStatus[] = Object.keys(STATUS) as InstanceStatus[];
export const statusShape: { readonly oneOf: typeof STATUS } = { oneOf: STATUS };

/** What the instance really has, as the remote tells it. */
export interface InstanceResources {
  readonly cpus?: number;
  readonly memoryBytes?: number;
  readonly diskBytes?: number;
  readonly gpus?: { readonly type: string; readonly count: number };
}

/** Read live, never stored: an address may change at every start. */
export interface InstanceAddresses {
  readonly publicIpv4?: string;
  readonly privateIpv4?: string;
  readonly ipv6?: string;
}

/** How to reach sshd, as soon as the remote knows it. */
export interface SshEndpoint {
  readonly host: string;
  readonly port: number;
  readonly user: string;
}

/** What the sentinel inside the instance says about the bootstrap; absent where there was none or nothing can be read. */
export interface BootstrapState {
  readonly state: "pending" | "running" | "succeeded" | "failed" | "unknown";
  readonly exitCode?: number;
}

/**
 * One compute instance. All data is JSON-safe; times are ISO 8601 UTC. A value that the remote does not tell is absent
 * or null, never invented.
 */
export interface Instance {
  /** Opaque, and enough to address the instance from any process with the same credentials (CONTRACT §1). */
  readonly id: string;
  readonly status: InstanceStatus;
  /** The provider's name, as registered in its package. */
  readonly provider: string;
  /** The remote's own id. */
  readonly nativeId: string;
  /** The key that it was spawned with; null if the remote keeps none. */
  readonly key: string | null;
  /** The control plane that spawned it; null if the remote keeps none. */
  readonly owner: string | null;
  /** Why the status is what it is, in the remote's words. */
  readonly statusReason?: { readonly code: string; readonly message: string };
  readonly region?: string;
  readonly zone?: string;
  /** The remote's name of the machine type. */
  readonly spec?: string;
  readonly image?: string;
  readonly resources?: InstanceResources;
  readonly addresses: InstanceAddresses;
  readonly ssh?: SshEndpoint;
  readonly isSpot: boolean;
  readonly bootstrap?: BootstrapState;
  /** The caller's labels, without Slipway's own tags. */
  readonly labels: Readonly<Record<string, string>>;
  readonly price?: Price;
  /** Null if the remote does not tell. */
  readonly createdAt: string | null;
  /** When the caller wants it gone; nothing but `reconcile` acts on it. */
  readonly expiresAt?: string;
  /** When it ends by itself; absent where nothing does that. */
  readonly terminateBy?: TerminateBy;
}

export const bootstrapStateShape: AnswerOf<BootstrapState> = {
  state: { oneOf: { pending: true, running: true, succeeded: true, failed: true, unknown: true } },
  "exitCode?": "integer",
};
export const instanceShape: AnswerOf<Instance> = {
  id: "id",
  status: statusShape,
  provider: "id",
  nativeId: "text",
  key: "text or null",
  owner: "text or null",
  "statusReason?": { code: "text", message: "text" },
  "region?": "text",
  "zone?": "text",
  "spec?": "text",
  "image?": "text",
  "resources?": {
    "cpus?": "above0",
    "memoryBytes?": "above0",
    "diskBytes?": "above0",
    "gpus?": { type: "text", count: "integer" },
  },
  addresses: { "publicIpv4?": "text", "privateIpv4?": "text", "ipv6?": "text" },
  "ssh?": { host: "text", port: "integer", user: "text" },
  isSpot: "flag",
  "bootstrap?": bootstrapStateShape,
  labels: "texts",
  "price?": priceShape,
  createdAt: "time or null",
  "expiresAt?": "time",
  "terminateBy?": { at: "time", by: { oneOf: { remote: true, machine: true } } },
};
