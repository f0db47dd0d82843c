import type { RegionMethods } from "@slipway/core";
import type { MemoryContext } from "../context.ts";
import { account } from "../wire.ts";

export function regionMethods(context: MemoryContext): RegionMethods {
  return {
    listRegions: async ({ signal } = {}) => {
      const call = { operation: "listRegions", signal };
      const { regions } = await context.client.send(call, "account.read", context.regions[0], {}, account);
      return regions.filter(({ id }) => context.regions.includes(id)).map(({ id, name }) => ({ id, name }));
    },
  };
}
