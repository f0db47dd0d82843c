import type { Instance } from "@slipway/core";
import { answered, describing, intercept, told } from "./intercept.ts";
import type { MutantsOf } from "./mutant.ts";

/** Mutants of the group identity. */
export const identityMutants: MutantsOf<"identity"> = {
  "identity.description": {
    does: "calls itself of a tier that does not exist",
    mutate: describing(() => ({ tier: "gold" })),
  },
  "identity.owner": {
    does: "keeps its own owner in its description whatever owner was asked for",
    mutate: (harness) => ({
      ...harness,
      // A provider of one owner that says another.
      another: async (options) => ({ ...(await harness.another(options)), owner: harness.registration.provider.owner }),
    }),
  },
  "identity.contract-version": {
    does: "speaks a contract that does not exist",
    mutate: describing(() => ({ contractVersion: 99 })),
    alsoKills: { "package.manifest": "the manifest no longer agrees with the provider" },
  },
  "identity.flags": {
    does: "leaves a flag that is off undefined",
    world: "bare",
    mutate: describing(({ capabilities }) => ({ capabilities: { ...capabilities, costExplorer: undefined } })),
  },
  "identity.why-not": {
    does: "does not say why a capability is off",
    world: "bare",
    mutate: describing(({ whyNot }) => ({ whyNot: { ...whyNot, costExplorer: "" } })),
    alsoKills: { "capabilities.costExplorer-off": "it wants the same sentence" },
  },
  "identity.stable": {
    does: "changes a limit while it lives",
    mutate: describing(({ limits }) => {
      let reads = 0;
      return {
        get limits() {
          reads += 1;
          return { ...limits, maxLabels: limits.maxLabels + reads };
        },
      };
    }),
  },
  "identity.one-id": {
    does: "tells another native id in get than in spawn and list",
    mutate: answered<Instance | null>("get", (instance) =>
      instance?.status === "pending" ? { ...instance, nativeId: instance.id } : instance,
    ),
    alsoKills: { "get.same-as-spawn": "it compares the native id too" },
  },
  "identity.id-elsewhere": {
    does: "does not find by id what another process spawned",
    mutate: intercept({
      get: (args, next, { calls, process }) => {
        const others = calls.filter((call) => call.operation === "spawn" && call.process !== process);
        const ids = others.map((call) => Reflect.get(Object(call.outcome?.value), "id") as unknown);
        return process > 0 && ids.includes(args[0]) ? Promise.resolve(null) : next(...args);
      },
    }),
    alsoKills: { "regions.list-covers-all": "it gets by id from another process too" },
  },
  "identity.native-id": {
    does: "does not take a native id",
    mutate: intercept({
      get: (args, next, { calls }) => {
        const native = calls.map((call) => Reflect.get(Object(call.outcome?.value), "nativeId") as unknown);
        return native.includes(args[0]) ? Promise.resolve(null) : next(...args);
      },
    }),
  },
  "identity.distinct": {
    does: "tells one native id of all instances that spawn answers",
    mutate: told((instance, { calls }) => {
      const first = calls.find((call) => call.operation === "spawn")?.outcome?.value;
      const nativeId: unknown = Reflect.get(Object(first), "nativeId");
      return typeof nativeId === "string" ? { ...instance, nativeId } : instance;
    }),
    alsoKills: {
      "owner.same-key": "it tells instances apart by native id",
      "terminate.elsewhere": "it ends an instance by native id",
      "concurrency.distinct-keys": "it holds native ids against the inspector's",
    },
  },
};
