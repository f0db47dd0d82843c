import type { Instance } from "@slipway/core";
import { answered, asked, describing, failed, fields, intercept, reworded, spawnsOf } from "./intercept.ts";
import type { Mutant } from "./mutant.ts";

/** Further mutants, for rules that the cases' own leave whole. */
export const ruleMutants: readonly Mutant[] = [
  {
    id: "DATA-02",
    kills: "spawn.shape",
    does: "tells a time in words",
    mutate: answered<Instance>("spawn", (instance) => ({ ...instance, createdAt: "yesterday at noon" })),
    alsoKills: { "get.same-as-spawn": "it compares the time of creation" },
  },
  {
    id: "ID-05 without the life of a request",
    kills: "identity.description",
    does: "does not say how long a request may live",
    mutate: describing(({ limits }) => ({ limits: { ...limits, requestLifeMs: undefined } })),
  },
  {
    id: "KEY-05 without the bootstrap",
    kills: "key.other-spec",
    does: "takes two requests for one that differ in their bootstrap alone",
    mutate: intercept({
      spawn: async (args, next, place) => {
        const { bootstrap: asked, ...options } = fields(args[0]);
        const [first] = spawnsOf(place, options["key"]);
        const { bootstrap: had, ...same } = fields(first?.call.args[0]);
        const blind = first !== undefined && JSON.stringify(options) === JSON.stringify(same);
        return blind && asked !== undefined && had === undefined ? first.instance : await next(...args);
      },
    }),
    alsoKills: { "key.other-spec-elsewhere": "another process does the same" },
  },
  {
    id: "LIST-01 while it hibernates",
    kills: "hibernation.listed",
    does: "lists what hibernates only where that is asked for",
    mutate: intercept({
      list: async (args, next) => {
        const found = (await next(...args)) as readonly Instance[];
        return fields(args[0])["status"] === undefined ? found.filter(({ status }) => status !== "hibernated") : found;
      },
    }),
  },
  {
    id: "EXP-02",
    kills: "terminate-by.comes",
    does: "terminates an instance a minute before its time",
    mutate: asked("spawn", (options) => {
      const time = Date.parse(String(options["terminateBy"]));
      return Number.isNaN(time) ? options : { ...options, terminateBy: new Date(time - 60_000).toISOString() };
    }),
    alsoKills: { "terminate-by.told": "it tells the time that it was made with" },
  },
  {
    id: "REGION-05",
    kills: "regions.one-fails",
    does: "does not say that it is the region which fails",
    mutate: failed("list", (error) => {
      throw error.scope === "region" ? reworded(error, { scope: "provider" }) : error;
    }),
  },
  {
    id: "EFFECT-04",
    kills: "effect.spawn-answer-lost",
    does: "does not find by key what a failed spawn left",
    mutate: intercept({
      list: async (args, next, { calls }) => {
        const lost = calls.some(({ operation, outcome }) => operation === "spawn" && outcome?.error !== undefined);
        return lost && fields(args[0])["keys"] !== undefined ? [] : await next(...args);
      },
    }),
    alsoKills: {
      "effect.spawn-failed-after": "its spawn is unclear too",
      "cancellation.under-way": "its spawn is unclear too",
      "cancellation.timeout": "its spawn is unclear too",
    },
  },
];
