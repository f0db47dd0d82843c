import type { Instance } from "@slipway/core";
import { asked, describing, fields, ignoring, intercept, lackingMethods, told, wrongly } from "./intercept.ts";
import type { MutantBody, MutantsOf, Mutate } from "./mutant.ts";

const NEEDS_METHOD = "it calls the method that is missing";
const NEEDS_OPTION = "it gives the option that is refused";

/** Mutants of the group capabilities. */
export const capabilitiesMutants: MutantsOf<"capabilities"> = {
  "capabilities.snapshots-on": {
    ...lacking("listSnapshots"),
    alsoKills: {
      "projection.members": NEEDS_METHOD,
      "effect.snapshot-answer-lost": NEEDS_METHOD,
      "snapshots.deleted": NEEDS_METHOD,
      "snapshots.listed": NEEDS_METHOD,
      "snapshots.other-owner": NEEDS_METHOD,
    },
  },
  "capabilities.snapshots-off": smuggling("fromSnapshot"),
  "capabilities.spot-on": {
    ...lacking("getSpotPrices"),
    alsoKills: {
      "projection.members": NEEDS_METHOD,
      "spot.prices": NEEDS_METHOD,
      "spot.prices-filtered": NEEDS_METHOD,
    },
  },
  "capabilities.spot-off": smuggling("spot"),
  "capabilities.gpu-on": { ...refusing("gpu"), alsoKills: { "capabilities.gpu-count": NEEDS_OPTION } },
  "capabilities.gpu-off": smuggling("gpu"),
  "capabilities.multiRegion-on": {
    ...refusing("region"),
    alsoKills: {
      "regions.spawn": NEEDS_OPTION,
      "regions.list-covers-all": NEEDS_OPTION,
      "regions.filter": NEEDS_OPTION,
      "regions.one-fails": NEEDS_OPTION,
    },
  },
  "capabilities.multiRegion-off": smuggling("region"),
  "capabilities.persistentVolumes-on": {
    ...lacking("listVolumes"),
    alsoKills: {
      "projection.members": NEEDS_METHOD,
      "effect.volume-answer-lost": NEEDS_METHOD,
      "volumes.same-key": NEEDS_METHOD,
      "volumes.other-size": NEEDS_METHOD,
      "volumes.listed": NEEDS_METHOD,
      "volumes.other-owner": NEEDS_METHOD,
      "volumes.deleted": NEEDS_METHOD,
      "volumes.delete-attached": NEEDS_METHOD,
      "volumes.attached": NEEDS_METHOD,
      "volumes.outlive": NEEDS_METHOD,
    },
  },
  "capabilities.persistentVolumes-off": smuggling("volumes"),
  "capabilities.warmVolumes-on": {
    ...lacking("releaseWarmVolume"),
    alsoKills: {
      "projection.members": NEEDS_METHOD,
      "warm-volumes.released": NEEDS_METHOD,
      "warm-volumes.release-repeated": NEEDS_METHOD,
    },
  },
  "capabilities.warmVolumes-off": smuggling("warmVolume"),
  "capabilities.hibernation-on": {
    ...lacking("resume"),
    alsoKills: {
      "projection.members": NEEDS_METHOD,
      "hibernation.cycle": NEEDS_METHOD,
      "hibernation.repeated": NEEDS_METHOD,
      "hibernation.unknown": NEEDS_METHOD,
    },
  },
  "capabilities.hibernation-off": smuggling("hibernation"),
  "capabilities.costExplorer-on": {
    ...lacking("getCosts"),
    alsoKills: {
      "projection.members": NEEDS_METHOD,
      "costs.amounts": NEEDS_METHOD,
      "costs.grouped": NEEDS_METHOD,
    },
  },
  "capabilities.costExplorer-off": {
    does: "has a method of a capability that is off",
    world: "bare",
    mutate: describing(() => ({ getCosts: async () => [] })),
  },
  "capabilities.tailscaleNative-on": {
    ...refusing("tailscale"),
    alsoKills: { "tailscale.accepted": NEEDS_OPTION, "tailscale.secret": NEEDS_OPTION },
  },
  "capabilities.tailscaleNative-off": smuggling("tailscale"),
  "capabilities.idempotentSpawn-on": {
    none: "the flag unlocks neither method nor option; what it promises is in the group key",
  },
  "capabilities.idempotentSpawn-off": {
    does: "does not say why it is off",
    world: "bare",
    mutate: describing(({ whyNot }) => ({ whyNot: { ...whyNot, idempotentSpawn: "" } })),
    alsoKills: { "identity.why-not": "it wants a sentence for each flag that is off" },
  },
  "capabilities.customNetworking-on": {
    ...refusing("network"),
    alsoKills: { "networking.accepted": NEEDS_OPTION },
  },
  "capabilities.customNetworking-off": smuggling("network"),
  "capabilities.gpu-count": {
    does: "gives one accelerator too many",
    mutate: told((instance) => withOneMore(instance)),
  },
  "capabilities.gpu-malformed": {
    does: "rounds a count that is not whole",
    mutate: asked("spawn", (options) => {
      const { count } = fields(options["gpu"]);
      return count === 1.5 ? { ...options, gpu: { count: 1 }, spec: undefined } : options;
    }),
  },
};

function lacking(method: string): Pick<MutantBody, "does" | "mutate"> {
  return { does: `has no ${method}, though the flag is on`, mutate: lackingMethods(method) };
}

function refusing(option: string): Pick<MutantBody, "does" | "mutate"> {
  const mutate: Mutate = intercept({
    spawn: async (args, next) => {
      const value = fields(args[0])[option];
      if (value !== undefined && isWellFormed(option, value)) {
        throw wrongly("UNSUPPORTED", "spawn");
      }
      return await next(...args);
    },
  });
  return { does: `refuses ${option}, though the flag is on`, mutate };
}

// The cases of malformed options are not about the flag, and neither is the region that nobody has.
function isWellFormed(option: string, value: unknown): boolean {
  if (option === "gpu") return Number.isInteger(fields(value)["count"]) && Number(fields(value)["count"]) > 0;
  if (typeof value === "string") return !["a-network", "atlantis-1"].includes(value);
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function smuggling(option: string): MutantBody {
  return { does: `ignores ${option} in silence`, world: "bare", mutate: ignoring("spawn", [option]) };
}

function withOneMore(instance: Instance): Instance {
  const { resources } = instance;
  if (resources?.gpus === undefined) return instance;
  return { ...instance, resources: { ...resources, gpus: { ...resources.gpus, count: resources.gpus.count + 1 } } };
}
