import { type Instance, isProviderError } from "@slipway/core";
import { fields, intercept, underWay, wrongly } from "./intercept.ts";
import type { MutantsOf } from "./mutant.ts";

const GETS = 3;
const REPEATS = 3;

/** Mutants of the group terminate. */
export const terminateMutants: MutantsOf<"terminate"> = {
  "terminate.gone": {
    does: "says for a while that a terminated instance runs",
    mutate: intercept({
      get: async (args, next, { calls }) => {
        const instance = (await next(...args)) as Instance | null;
        const ended = calls.findIndex((call) => call.operation === "terminate" && call.args[0] === args[0]);
        const gets = calls.slice(ended).filter((call) => call.operation === "get").length;
        return instance !== null && ended >= 0 && gets < GETS ? { ...instance, status: "running" } : instance;
      },
    }),
  },
  "terminate.ends": {
    does: "goes on listing the one instance that it has ended",
    mutate: intercept({
      list: async (args, next, { calls }) => {
        const listed = await next(...args);
        const spawned = calls.filter((call) => call.operation === "spawn");
        const ended = calls.some((call) => call.operation === "terminate");
        const last = spawned[0]?.outcome?.value as Instance | undefined;
        const lies = spawned.length === 1 && ended && last !== undefined && args[0] === undefined;
        return lies ? [{ ...last, status: "terminated" }] : listed;
      },
    }),
  },
  "terminate.unknown": {
    does: "rejects for an instance that never was",
    mutate: intercept({
      terminate: async (args, next, { harness }) => {
        if (args[0] === harness.unknownId) throw wrongly("NOT_FOUND", "terminate");
        return await next(...args);
      },
    }),
  },
  "terminate.repeated": {
    does: "rejects when it is called for the fourth time",
    mutate: intercept({
      terminate: async (args, next, place) => {
        const earlier = place.calls.filter((call) => call.operation === "terminate" && call.args[0] === args[0]);
        const alone = underWay(place, "terminate").length === 0;
        if (earlier.length >= REPEATS && alone) throw wrongly("INVALID_STATE", "terminate");
        return await next(...args);
      },
    }),
  },
  "terminate.elsewhere": {
    does: "does not end what another process made",
    mutate: intercept({
      terminate: (args, next, { calls, process }) => {
        const own = calls.filter((call) => call.operation === "spawn" && call.process === process);
        const ids = own.flatMap(({ outcome }) => Object.values(fields(outcome?.value)));
        return process === 0 || ids.includes(args[0]) ? next(...args) : Promise.resolve();
      },
    }),
  },
  "terminate.spares-others": {
    does: "ends an instance of its own with another one",
    mutate: intercept({
      terminate: async (args, next, { calls, process }) => {
        const foreign = calls.some((call) => call.operation === "spawn" && call.process !== process);
        const own = calls.find((call) => call.operation === "spawn" && call.process === process);
        const first: unknown = Reflect.get(Object(own?.outcome?.value), "id");
        await next(...args);
        if (foreign && process === 0 && typeof first === "string") await next(first);
      },
    }),
  },
  "terminate.unclear": {
    does: "resolves though the remote was down",
    mutate: intercept({
      terminate: async (args, next) => {
        try {
          await next(...args);
        } catch (error) {
          if (!isProviderError(error, "UNAVAILABLE")) throw error;
        }
      },
    }),
  },
  "terminate.no-id": {
    does: "takes a missing id for one that is gone",
    mutate: intercept({
      terminate: async (args, next) => {
        if (typeof args[0] === "string") await next(...args);
      },
    }),
  },
};
