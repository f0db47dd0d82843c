import type { BaseSpawnOptions, Provider } from "@slipway/core";
import type { Need, Place } from "./places.ts";

/** What is needed, and what every place is asked for alike. */
export interface AnywhereOptions
  extends Need,
    Pick<
      BaseSpawnOptions,
      "name" | "image" | "bootstrap" | "ports" | "sshKeys" | "labels" | "expiresAt" | "signal" | "timeoutMs"
    > {
  /** One instance of this key, over all providers. */
  readonly key: string;
}

/**
 * What a place's provider is asked for. The same options and place give the same request.
 *
 * @example
 * ```ts
 * import { findPlaces } from "@slipway/control";
 *
 * const need = { key: "worker-1", cpus: 2 };
 * const { places } = await findPlaces([provider], need);
 * for (const place of places) console.log(requestAt(need, provider, place));
 * ```
 */
export function requestAt(wanted: AnywhereOptions, provider: Provider, place: Place): BaseSpawnOptions {
  const { key, name, image, bootstrap, ports, sshKeys, labels, expiresAt, gpu, spot = false, maxUsdPerHour } = wanted;
  const isCapped = maxUsdPerHour !== undefined && provider.refuses.maxUsdPerHour === undefined && !spot;
  const options: BaseSpawnOptions = {
    ...{ key, name, image, bootstrap, ports, sshKeys, labels, expiresAt, spec: place.spec },
    ...(isCapped ? { maxUsdPerHour } : {}),
  };
  const { multiRegion, gpu: hasGpus } = provider.capabilities;
  return Object.assign(
    options,
    multiRegion && place.region !== undefined ? { region: place.region } : {},
    // Some machine types are nodes, of which an instance takes a part.
    hasGpus && gpu !== undefined ? { gpu: { count: gpu.count ?? 1 } } : {},
    spot ? { spot: maxUsdPerHour === undefined ? {} : { maxUsdPerHour } } : {},
  );
}
