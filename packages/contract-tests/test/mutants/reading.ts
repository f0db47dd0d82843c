import { type Instance, isProviderError } from "@slipway/core";
import { answered, asked, fields, ignoring, intercept, underWay, wrongly } from "./intercept.ts";
import type { MutantsOf } from "./mutant.ts";

const SECOND_MS = 1_000;
const FEW = 5;
const listOf = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : []);

const getMutants: MutantsOf<"get"> = {
  "get.unknown": {
    does: "throws for an instance that never was",
    mutate: intercept({
      get: async (args, next, { harness }) => {
        if (args[0] === harness.unknownId) throw wrongly("NOT_FOUND", "get");
        return await next(...args);
      },
    }),
  },
  "get.malformed": {
    does: "throws for an empty id",
    mutate: intercept({
      get: async (args, next) => {
        if (args[0] === "") throw wrongly("NOT_FOUND", "get");
        return await next(...args);
      },
    }),
  },
  "get.fails-loudly": {
    does: "gives null where the remote is down",
    mutate: intercept({ get: (args, next) => orElse(null, () => next(...args)) }),
  },
  "get.foreign-not-found": {
    does: "gives null where an answer is not the remote's",
    mutate: intercept({
      get: async (args, next) => {
        try {
          return await next(...args);
        } catch (error) {
          if (isProviderError(error, "INTERNAL")) return null;
          throw error;
        }
      },
    }),
  },
  "get.same-as-spawn": {
    does: "tells another time of creation than spawn",
    mutate: answered<Instance | null>("get", (instance) =>
      instance?.status === "pending" && instance.createdAt !== null
        ? { ...instance, createdAt: new Date(Date.parse(instance.createdAt) + SECOND_MS).toISOString() }
        : instance,
    ),
  },
  "get.shape": {
    does: "tells an ssh endpoint without a host",
    mutate: answered<Instance | null>("get", (instance) =>
      instance?.status === "running" ? { ...instance, ssh: { host: "", port: 22, user: "root" } } : instance,
    ),
  },
};

const listMutants: MutantsOf<"list"> = {
  "list.complete": {
    does: "loses what is behind the first page",
    mutate: answered<readonly unknown[]>("list", (found) => found.slice(0, FEW)),
    alsoKills: { "list.pages-move": "It looks whether as many are listed, too." },
  },
  "list.pages-move": {
    does: "loses what moved to another page while an instance ended",
    mutate: intercept({
      list: async (args, next, place) => {
        const isMoving = underWay(place, "terminate").length > 0;
        const found = listOf(await next(...args));
        return isMoving && found.length > FEW ? found.slice(0, 1) : found;
      },
    }),
  },
  "list.hides-terminated": {
    does: "answers everything where terminated instances are asked for",
    mutate: ignoring("list", ["status"], ({ status }) => listOf(status).includes("terminated")),
  },
  "list.unknown-state": {
    does: "leaves out what is in a state that it does not know",
    mutate: answered<readonly Instance[]>("list", (found) => found.filter(({ status }) => status !== "unknown")),
  },
  "list.status": {
    does: "ignores a filter by two statuses that nothing has",
    mutate: ignoring(
      "list",
      ["status"],
      ({ status }) => listOf(status).length > 1 && !listOf(status).includes("running"),
    ),
  },
  "list.by-id": {
    does: "looks for the first of two ids alone",
    mutate: asked("list", (filter) =>
      listOf(filter["ids"]).length === 2 ? { ...filter, ids: listOf(filter["ids"]).slice(0, 1) } : filter,
    ),
  },
  "list.by-key": {
    does: "looks for the first of two keys alone",
    mutate: asked("list", (filter) =>
      listOf(filter["keys"]).length === 2 ? { ...filter, keys: listOf(filter["keys"]).slice(0, 1) } : filter,
    ),
  },
  "list.by-label": {
    does: "wants one of two labels",
    mutate: asked("list", (filter) => {
      const [first] = Object.entries(fields(filter["labels"]));
      return first === undefined ? filter : { ...filter, labels: Object.fromEntries([first]) };
    }),
  },
  "list.and": {
    does: "ignores keys where ids are given too",
    mutate: ignoring("list", ["keys"], ({ ids }) => ids !== undefined),
  },
  "list.nothing-found": {
    does: "answers everything where a key is not found",
    mutate: ignoring("list", ["keys"], ({ keys }) => listOf(keys).includes("no such key")),
  },
  "list.unknown-filter": {
    does: "ignores a filter that it does not know",
    mutate: ignoring("list", ["colour"]),
  },
  "list.fails-whole": {
    does: "answers nothing where the remote is down",
    mutate: intercept({ list: (args, next) => orElse([], () => next(...args), "provider") }),
  },
  "list.same-as-get": {
    does: "tells no time of creation",
    mutate: answered<readonly Instance[]>("list", (found) =>
      found.map((instance) => ({ ...instance, createdAt: null })),
    ),
  },
};

const regionsMutants: MutantsOf<"regions"> = {
  "regions.listed": {
    does: "lists a region twice",
    mutate: answered<readonly unknown[]>("listRegions", (regions) => [...regions, regions[0]]),
  },
  "regions.spawn": {
    does: "tells the wrong region",
    mutate: answered<Instance | null>("get", (instance) =>
      instance?.status === "pending" ? { ...instance, region: "elsewhere-1" } : instance,
    ),
  },
  "regions.list-covers-all": {
    does: "lists the region of the first instance alone",
    mutate: answered<readonly Instance[]>("list", (found, args) =>
      fields(args[0])["region"] === undefined ? found.filter(({ region }) => region === found[0]?.region) : found,
    ),
  },
  "regions.filter": {
    does: "ignores the filter by region",
    mutate: ignoring("list", ["region"]),
  },
  "regions.unknown": {
    does: "spawns at home where it does not know the region",
    mutate: ignoring("spawn", ["region"], ({ region }) => region === "atlantis-1"),
  },
  "regions.one-fails": {
    does: "leaves out the region that fails",
    mutate: intercept({ list: (args, next) => orElse([], () => next(...args), "region") }),
  },
};

async function orElse(instead: unknown, call: () => unknown, scope: string = "provider"): Promise<unknown> {
  try {
    return await call();
  } catch (error) {
    if (isProviderError(error, "UNAVAILABLE") && error.scope === scope) return instead;
    throw error;
  }
}

/** Mutants of the groups of this file. */
export const readingMutants: MutantsOf<"get" | "list" | "regions"> = {
  ...getMutants,
  ...listMutants,
  ...regionsMutants,
};
