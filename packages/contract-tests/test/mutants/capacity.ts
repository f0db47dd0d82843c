import type { Cost, Instance, SpotPrice } from "@slipway/core";
import { answered, asked, failed, fields, ignoring, intercept, type Place, wrongly } from "./intercept.ts";
import type { MutantsOf } from "./mutant.ts";

const spotMutants: MutantsOf<"spot"> = {
  "spot.spawned": {
    does: "says that a spot instance is not interruptible",
    mutate: answered<Instance>("spawn", (instance) => ({ ...instance, isSpot: false })),
  },
  "spot.requested": {
    does: "says that the instance of a request is not interruptible",
    mutate: answered<readonly Instance[]>("list", (found) => found.map((instance) => ({ ...instance, isSpot: false }))),
  },
  "spot.same-key": {
    does: "places a second request for the same key",
    mutate: asked("requestSpotInstance", (options, { calls }) => {
      const placed = calls.some(
        ({ operation, args }) => operation === "requestSpotInstance" && fields(args[0])["key"] === options["key"],
      );
      return placed ? { ...options, key: `${String(options["key"])}-again` } : options;
    }),
  },
  "spot.cancelled": {
    does: "leaves the instance of a cancelled request",
    mutate: intercept({ cancelSpotRequest: async () => undefined }),
  },
  "spot.cancel-unknown": {
    does: "rejects for a request that never was",
    mutate: intercept({
      cancelSpotRequest: async (args, next) => {
        if (args[0] === "no-such-request") throw wrongly("NOT_FOUND", "cancelSpotRequest");
        return await next(...args);
      },
    }),
  },
  "spot.prices": {
    does: "tells a price of zero",
    mutate: answered<readonly SpotPrice[]>("getSpotPrices", (prices) =>
      prices.map((price) => ({ ...price, usdPerHour: 0 })),
    ),
  },
  "spot.prices-filtered": {
    does: "ignores the filter by spec",
    mutate: ignoring("getSpotPrices", ["specs"]),
  },
};

const hibernationMutants: MutantsOf<"hibernation"> = {
  "hibernation.cycle": {
    does: "tells another native id after resuming",
    mutate: answered<Instance | null>("get", (instance, _args, { calls }) =>
      instance?.status === "running" && calls.some(({ operation }) => operation === "resume")
        ? { ...instance, nativeId: "another" }
        : instance,
    ),
  },
  "hibernation.repeated": {
    does: "rejects when an instance is hibernated again",
    mutate: intercept({
      hibernate: async (args, next, { calls }) => {
        const again = calls.some(({ operation, args: [id] }) => operation === "hibernate" && id === args[0]);
        if (again) throw wrongly("INVALID_STATE", "hibernate");
        return await next(...args);
      },
    }),
  },
  "hibernation.not-asked-for": {
    does: "resolves though the instance cannot hibernate",
    mutate: failed("hibernate", (error) => {
      if (error.code !== "INVALID_STATE") throw error;
      return null;
    }),
    alsoKills: { "errors.table": "it emits no row any more that refuses to hibernate" },
  },
  "hibernation.unknown": {
    does: "says that an unknown instance is in a wrong state",
    mutate: failed("resume", (error) => {
      throw error.code === "NOT_FOUND" ? wrongly("INVALID_STATE", "resume") : error;
    }),
  },
  "hibernation.listed": {
    does: "does not list what hibernates",
    mutate: answered<readonly Instance[]>("list", (found) => found.filter(({ status }) => status !== "hibernated")),
  },
};

const costsMutants: MutantsOf<"costs"> = {
  "costs.amounts": {
    does: "tells a negative amount",
    mutate: answered<readonly Cost[]>("getCosts", (costs) => costs.map((cost) => ({ ...cost, usd: -1 }))),
  },
  "costs.grouped": {
    does: "does not group",
    mutate: ignoring("getCosts", ["groupBy"]),
  },
};

const tailscaleMutants: MutantsOf<"tailscale"> = {
  "tailscale.accepted": {
    does: "does not find what is on a tailnet",
    mutate: answered<Instance | null>("get", (instance, _args, place) => hiding("tailscale", instance, place)),
  },
  "tailscale.secret": {
    does: "answers the auth key",
    mutate: answered("spawn", (instance, args) => ({ ...instance, tailnet: fields(args[0])["tailscale"] })),
  },
};

const networkingMutants: MutantsOf<"networking"> = {
  "networking.accepted": {
    does: "does not find what is in a network",
    mutate: answered<Instance | null>("get", (instance, _args, place) => hiding("network", instance, place)),
  },
  "networking.malformed": {
    does: "takes a text for a network",
    mutate: asked("spawn", ({ network, ...options }) => ({
      ...options,
      network: typeof network === "string" ? { id: network } : network,
    })),
  },
};

function hiding(option: string, instance: Instance | null, { calls }: Place): Instance | null {
  const spawned = calls.find(
    ({ operation, outcome }) => operation === "spawn" && Reflect.get(Object(outcome?.value), "id") === instance?.id,
  );
  return fields(spawned?.args[0])[option] === undefined ? instance : null;
}

const terminateByMutants: MutantsOf<"terminate-by"> = {
  "terminate-by.comes": {
    does: "keeps the time to itself, and lets the instance run",
    mutate: asked("spawn", (options) => {
      const { terminateBy } = options;
      return typeof terminateBy === "string" && !Number.isNaN(Date.parse(terminateBy))
        ? { ...options, terminateBy: "2199-12-31T23:59:59Z" }
        : options;
    }),
    alsoKills: {
      "terminate-by.told": "it tells the time that it was made with",
      "terminate-by.refused": "it takes a time that has passed as well",
    },
  },
  "terminate-by.told": {
    does: "tells a time that is an hour later",
    mutate: answered<Instance | null>("get", (instance) => {
      if (instance?.terminateBy === undefined) return instance;
      const { at, by } = instance.terminateBy;
      return { ...instance, terminateBy: { at: new Date(Date.parse(at) + 3_600_000).toISOString(), by } };
    }),
  },
  "terminate-by.refused": {
    does: "ignores a time that it does not like",
    mutate: ignoring("spawn", ["terminateBy"], ({ terminateBy }) => terminateBy === "tomorrow"),
  },
};

/** Mutants of the groups of this file. */
export const capacityMutants: MutantsOf<
  "spot" | "hibernation" | "costs" | "tailscale" | "networking" | "terminate-by"
> = {
  ...spotMutants,
  ...hibernationMutants,
  ...costsMutants,
  ...tailscaleMutants,
  ...networkingMutants,
  ...terminateByMutants,
};
