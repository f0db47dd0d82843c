import type { LocalNetworkOptions, LocalOptions } from "./options.ts";
import { type LocalNetworkProvider, type LocalProvider, localParts } from "./provider.ts";

/**
 * Instances as sandboxed process trees on this machine. Nothing is touched before the first call. With
 * `isolatedNetworks: true` an instance may be spawned with `network: { isolated: true }`, which needs bubblewrap.
 * Throws a TypeError for an owner or a directory that cannot be one.
 *
 * @example
 * ```ts
 * const machines = local({ owner: "me" });
 * const { id } = await machines.spawn({ key: "worker-1", bootstrap: { script: "echo ready" } });
 * await machines.terminate(id);
 * ```
 */
export function local(options: LocalNetworkOptions): LocalNetworkProvider;
export function local(options: LocalOptions): LocalProvider;
export function local(options: LocalOptions | LocalNetworkOptions): LocalProvider | LocalNetworkProvider {
  return localParts(options).provider;
}
