import { type Instance, isProviderError } from "@slipway/core";
import type { InspectedInstance } from "../../src/harness.ts";
import { asked, fields, intercept, type SeenCall } from "./intercept.ts";
import type { MutantsOf, Mutate } from "./mutant.ts";

/** Mutants of the group owner. */
export const ownerMutants: MutantsOf<"owner"> = {
  "owner.lists-own": {
    does: "lists everybody's instances",
    mutate: intercept({ list: (args, next) => next({ owner: "*", ...fields(args[0]) }, args[1]) }),
  },
  "owner.lists-named": {
    does: "lists its own instances where another owner's were asked for",
    mutate: asked("list", ({ owner, ...filter }) => (owner === "*" ? { ...filter, owner } : filter)),
  },
  "owner.lists-all": {
    does: "lists its own instances where everybody's were asked for",
    mutate: asked("list", ({ owner, ...filter }) => (owner === "*" ? filter : { ...filter, owner })),
  },
  "owner.same-key": {
    does: "answers another owner's instance for the same key",
    mutate: intercept({
      spawn: async (args, next, { calls, process }) => {
        const instance = (await next(...args)) as Instance;
        const rival = calls.find((call) => call.process !== process && sameKey(call, args[0]));
        const theirs = rival?.outcome?.value as Instance | undefined;
        const foreign = theirs !== undefined && theirs.owner !== instance.owner;
        return foreign ? { ...instance, nativeId: theirs.nativeId } : instance;
      },
    }),
  },
  "owner.tagged-at-creation": {
    does: "writes another owner to the instances that spawn answers",
    mutate: tagging((held, answered) => (answered.has(held.nativeId) ? { ...held, owner: "nobody" } : held)),
  },
  "owner.tagged-though-cut-off": {
    does: "writes the owner only once the creation was answered",
    mutate: tagging((held, answered) => (answered.has(held.nativeId) ? held : { ...held, owner: "nobody" })),
  },
  "owner.unmanaged-unlisted": {
    does: "lists machines without Slipway's tag",
    mutate: withUnmanaged((unmanagedIds) =>
      intercept({
        list: async (args, next) => [...((await next(...args)) as Instance[]), ...[...unmanagedIds].map(asInstance)],
      }),
    ),
  },
  "owner.unmanaged-with-our-name": {
    does: "adopts what has its name without the tag",
    mutate: withUnmanaged((unmanagedIds) =>
      intercept({
        spawn: async (args, next) => {
          try {
            return await next(...args);
          } catch (error) {
            const [unmanaged] = unmanagedIds;
            if (!isProviderError(error, "CONFLICT") || unmanaged === undefined) throw error;
            return asInstance(unmanaged);
          }
        },
      }),
    ),
  },
};

function sameKey(call: SeenCall, options: unknown): boolean {
  return call.operation === "spawn" && fields(call.args[0])["key"] === fields(options)["key"];
}

/** A remote that holds other tags than the provider says. */
function tagging(change: (held: InspectedInstance, answered: ReadonlySet<string>) => InspectedInstance): Mutate {
  return (harness) => {
    const answered = new Set<string>();
    const mutated = intercept({
      spawn: async (args, next) => {
        const instance = (await next(...args)) as Instance;
        answered.add(instance.nativeId);
        return instance;
      },
    })(harness);
    const instances = async (): Promise<readonly InspectedInstance[]> =>
      (await harness.inspector.instances()).map((held) => change(held, answered));
    return { ...mutated, inspector: { ...mutated.inspector, instances } };
  };
}

function withUnmanaged(mutate: (unmanagedIds: ReadonlySet<string>) => Mutate): Mutate {
  return (harness) => {
    const unmanagedIds = new Set<string>();
    const addUnmanaged = async (name?: string): Promise<string> => {
      const nativeId = (await harness.inspector.addUnmanaged?.(name)) ?? "";
      unmanagedIds.add(nativeId);
      return nativeId;
    };
    return mutate(unmanagedIds)({ ...harness, inspector: { ...harness.inspector, addUnmanaged } });
  };
}

function asInstance(nativeId: string): Instance {
  return {
    id: nativeId,
    nativeId,
    status: "running",
    provider: "memory",
    key: null,
    owner: null,
    addresses: {},
    isSpot: false,
    labels: {},
    createdAt: null,
  };
}
