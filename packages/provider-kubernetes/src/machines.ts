import { type Offering, type Price } from "@slipway/core";
import { gpuFit } from "@slipway/core/gpu-names";
import { type Call, cheapestFirst } from "@slipway/provider-kit/driver";
import type { MachineType, Profile } from "./profiles.ts";
import type { KubernetesRemote, KubernetesSpawnOptions } from "./remote.ts";

type Wanted = Pick<KubernetesSpawnOptions, "spec" | "gpu">;

/** Undefined for a machine type that the profile does not know. */
export function machineTypeOf({ catalogue }: Profile, spec: string | undefined): MachineType | undefined {
  return spec === undefined || catalogue === undefined || !Object.hasOwn(catalogue.types, spec)
    ? undefined
    : catalogue.types[spec];
}

/** The GPUs of a spawn: those that it asks for, or all of the machine type that it names. */
export function gpusOf(profile: Profile, { spec, gpu }: Wanted): KubernetesSpawnOptions["gpu"] {
  return gpu ?? machineTypeOf(profile, spec)?.gpus;
}

/** Does a pod take all GPUs of its node, so that nothing else of value runs there? */
export function isWholeNode(profile: Profile, { spec, gpu }: Wanted): boolean {
  const all = machineTypeOf(profile, spec)?.gpus?.count;
  return all !== undefined && gpusOf(profile, { spec, gpu })?.count === all;
}

/** The node's price for a pod that takes all of it. What another pod costs is a share of a node, which nobody states. */
export function priceOf(profile: Profile, wanted: Wanted): Price | undefined {
  const usdPerHour = machineTypeOf(profile, wanted.spec)?.usdPerHour;
  if (usdPerHour === undefined || profile.catalogue === undefined || !isWholeNode(profile, wanted)) return undefined;
  return { usdPerHour, per: "instance", asOf: profile.catalogue.pricesAsOf, source: "catalogue" };
}

/** Machine types that have such a GPU; empty where the profile knows none, so that only a label can select it. */
export function typesWith({ catalogue }: Profile, gpuType: string): readonly string[] {
  return Object.entries(catalogue?.types ?? {}).flatMap(([spec, { gpus }]) =>
    gpuFit(gpuType, gpus?.type ?? "") === null ? [] : [spec],
  );
}

/** Throws INVALID_SPEC where the machine type cannot have what is asked for, or may cost more. */
export function checkMachine({ profile, refuse }: KubernetesRemote, call: Call, options: KubernetesSpawnOptions): void {
  const { spec, gpu, maxUsdPerHour: most } = options;
  const type = machineTypeOf(profile, spec);
  if (type !== undefined && gpu !== undefined) {
    const { gpus } = type;
    const isAnother = gpu.type !== undefined && gpuFit(gpu.type, gpus?.type ?? "") === null;
    if (isAnother || gpu.count > (gpus?.count ?? 0)) {
      const has = gpus === undefined ? "no GPU" : `${gpus.count} ${gpus.type}`;
      throw refuse("INVALID_SPEC", call.operation, `gpu: a node of the type ${spec} has ${has}`);
    }
  }
  if (most === undefined) return;
  const price = priceOf(profile, options);
  if (price !== undefined && price.usdPerHour <= most) return;
  if (price !== undefined) {
    const message = `maxUsdPerHour is ${most}, and a node of the type ${spec} costs ${price.usdPerHour} US dollars an hour`;
    throw refuse("INVALID_SPEC", call.operation, message);
  }
  throw refuse("INVALID_SPEC", call.operation, `maxUsdPerHour is ${most}, and the price of this pod is not known`, {
    hint: "A price is known for a pod that takes all GPUs of a node: name its machine type as spec.",
  });
}

/** What the catalogue has, cheapest first; types without a price come last. */
export function offeringsOf(profile: Profile): readonly Offering[] {
  const { types = {}, pricesAsOf = "" } = profile.catalogue ?? {};
  const offerings = Object.entries(types).map(([spec, { cpus, memoryBytes, gpus, usdPerHour }]): Offering => {
    const resources = { cpus, memoryBytes, ...(gpus === undefined ? {} : { gpus }) };
    if (usdPerHour === undefined) return { spec, resources };
    return { spec, resources, price: { usdPerHour, per: "instance", asOf: pricesAsOf, source: "catalogue" } };
  });
  return cheapestFirst(offerings);
}
