import type { BootstrapConfig, BootstrapScript } from "./bootstrap.ts";
import { type InstanceStatus, statusShape } from "./instance.ts";
import type { RequestShapeOf } from "./shape.ts";

/** What every call takes. */
export interface CallOptions {
  /** Aborting rejects with CANCELLED and the true `effect`; it does not undo what the remote has done. */
  readonly signal?: AbortSignal | undefined;
  /** The whole call's time, milliseconds; past it the call rejects with TIMEOUT and the true `effect`. */
  readonly timeoutMs?: number | undefined;
}

/** What the instance shall have, where no `spec` names a machine type. */
export interface ResourceOptions {
  readonly cpus?: number | undefined;
  readonly memoryBytes?: number | undefined;
  readonly diskBytes?: number | undefined;
}

/** A port of the instance that shall be reachable. */
export interface Port {
  readonly port: number;
  readonly protocol?: "tcp" | "udp" | undefined;
  /** Where it appears outside, if the provider maps ports; any free one if absent. */
  readonly hostPort?: number | undefined;
}

/**
 * What `spawn` takes on every provider. A provider may refuse some of these (`provider.refuses`): it does so with
 * UNSUPPORTED before any call; nothing is ignored in silence.
 */
export interface BaseSpawnOptions extends CallOptions {
  /**
   * 1 to 128 printable ASCII characters that name this instance among its owner's. A repeated key answers the same
   * instance (CONTRACT §1). A UUID if absent: then a crash between the call and its answer leaves it to `reconcile`.
   */
  readonly key?: string | undefined;
  /** A display name. The name that the remote identifies it by is `nameFor(owner, key)`. */
  readonly name?: string | undefined;
  /** The provider's name of a machine type. Excludes `resources`, unless `limits.specTakesResources`. */
  readonly spec?: string | undefined;
  /** Excludes `spec`, unless `limits.specTakesResources`. */
  readonly resources?: ResourceOptions | undefined;
  readonly image?: string | undefined;
  /** A config, rendered by the provider's `generateBootstrap`, or a script rendered before. */
  readonly bootstrap?: BootstrapConfig | BootstrapScript | undefined;
  readonly ports?: readonly Port[] | undefined;
  /** Public keys in OpenSSH's one-line form. */
  readonly sshKeys?: readonly string[] | undefined;
  readonly labels?: Readonly<Record<string, string>> | undefined;
  /** When it shall be gone, ISO 8601 UTC. Nothing ends it by itself: `reconcile` reports it as expired. */
  readonly expiresAt?: string | undefined;
  /** Refused with INVALID_SPEC before any call where the known price is above it. */
  readonly maxUsdPerHour?: number | undefined;
}

/** Names of the options that a provider may refuse by `refuses`; key, signal and timeout are honoured by all. */
export type RefusableOption =
  | "name"
  | "spec"
  | "resources"
  | "image"
  | "bootstrap"
  | "ports"
  | "sshKeys"
  | "labels"
  | "expiresAt"
  | "maxUsdPerHour";

/** What `list` takes on every provider. Fields are joined by AND, values in one field by OR. */
export interface BaseListFilter {
  readonly ids?: readonly string[] | undefined;
  readonly keys?: readonly string[] | undefined;
  /** Everything but `terminated` if absent. */
  readonly status?: readonly InstanceStatus[] | undefined;
  /** All of them must match. */
  readonly labels?: Readonly<Record<string, string>> | undefined;
  /** One owner, or `"*"` for everything that bears Slipway's tag. This provider's owner if absent. */
  readonly owner?: string | undefined;
}

/** Asks for accelerators. */
export interface GpuOptions {
  /** The accelerator, for example `a10`, by any name that `gpuFit` knows for it; any that the provider has if absent. */
  readonly type?: string | undefined;
  /** How many, at least 1. */
  readonly count: number;
}

/** Places the instance in a network of the caller's. */
export interface NetworkOptions {
  /** The network's id or name. */
  readonly id?: string | undefined;
  readonly subnet?: string | undefined;
  readonly firewalls?: readonly string[] | undefined;
  /** True: no way out and no way in but through the provider. */
  readonly isolated?: boolean | undefined;
}

/** Puts the instance on a tailnet without an agent in the bootstrap. */
export interface TailscaleOptions {
  /** A secret: it never reaches a message, a log or an argument list. */
  readonly authKey: string;
  readonly hostname?: string | undefined;
  readonly tags?: readonly string[] | undefined;
}

/**
 * Unlocked by `terminateBy`: the remote, or the machine itself, ends the instance at that time, although no process of
 * the caller's lives. `expiresAt` is advice that `reconcile` and `reap` act on; this one needs nobody.
 *
 * @example
 * if (supports(provider, "terminateBy")) await provider.spawn({ terminateBy: "2026-12-01T12:00:00Z" });
 */
export interface TerminateByOptions {
  /** ISO 8601 UTC, in the future: not earlier, and at most `limits.terminateLateMs` later, the instance is terminated. */
  readonly terminateBy: string;
}

/** The end that an instance has, as the remote keeps it. */
export interface TerminateBy {
  /** ISO 8601 UTC. */
  readonly at: string;
  /** Who ends it. `machine`: only while its guest runs, and its root lets it. */
  readonly by: "remote" | "machine";
}

export const callShape: RequestShapeOf<CallOptions> = { "signal?": "signal", "timeoutMs?": "above0" };
export const spawnShape: RequestShapeOf<BaseSpawnOptions> = {
  ...callShape,
  "key?": "key",
  "name?": "name",
  "spec?": "text",
  "resources?": { "cpus?": "above0", "memoryBytes?": "above0", "diskBytes?": "above0" },
  "image?": "text",
  "bootstrap?": "bootstrap",
  "ports?": [{ port: "port", "protocol?": { oneOf: { tcp: true, udp: true } }, "hostPort?": "port" }],
  "sshKeys?": ["publicKey"],
  "labels?": "labels",
  "expiresAt?": "time",
  "maxUsdPerHour?": "above0",
};
export const filterShape: RequestShapeOf<BaseListFilter> = {
  "ids?": ["text"],
  "keys?": ["text"],
  "status?": [statusShape],
  "labels?": "texts",
  "owner?": "text",
};
