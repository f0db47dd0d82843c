import type { Capability, CoreMethods, ListFilter, SpawnOptions } from "@slipway/core";
import { matcherOf } from "@slipway/provider-kit/filters";
import type { Call } from "./client.ts";
import { configuredRegion, instanceFrom, type MemoryContext, ownerFilter } from "./context.ts";
import { inRegions } from "./ids.ts";
import type { MemoryInstance } from "./instance.ts";
import { machineRequest } from "./request.ts";
import { anything, machine, machinePage } from "./wire.ts";

type InstanceMethods = Omit<
  CoreMethods<MemoryInstance, SpawnOptions<Capability>, ListFilter<Capability>>,
  "generateBootstrap"
>;

export function instanceMethods(context: MemoryContext): InstanceMethods {
  const { client } = context;
  return {
    spawn: async (options) => {
      const call = { operation: "spawn", signal: options.signal };
      const { region, body } = machineRequest(context, call.operation, options);
      const made = await client.send(call, "machines.create", region, body, machine);
      if (made.state !== "draft") return instanceFrom(context, made);
      // Half a machine, of this call or of one that was killed: the second request completes it.
      const helping = { helper: true, changed: true } as const;
      const started = await client.send(call, "machines.start", made.region, { id: made.id }, machine, helping);
      return instanceFrom(context, started);
    },
    terminate: async (id, { signal } = {}) => {
      const call = { operation: "terminate", signal };
      await inRegions(id, "mem", context.regions, (region, nativeId) =>
        client.send(call, "machines.delete", region, { id: nativeId }, anything),
      );
    },
    get: (id, { signal } = {}) =>
      inRegions(id, "mem", context.regions, async (region, nativeId) => {
        const call = { operation: "get", signal };
        return instanceFrom(context, await client.send(call, "machines.read", region, { id: nativeId }, machine));
      }),
    list: (filter = {}, { signal } = {}) => listed(context, { operation: "list", signal }, filter),
  };
}

async function listed(
  context: MemoryContext,
  call: Call,
  filter: ListFilter<Capability>,
): Promise<readonly MemoryInstance[]> {
  const regions =
    filter.region === undefined ? context.regions : [configuredRegion(context, call.operation, filter.region)];
  const owner = ownerFilter(context, filter.owner);
  const found: MemoryInstance[] = [];
  const matches = matcherOf(filter);
  for (const region of regions) {
    const rows = await context.client.sendAll(call, "machines.list", region, owner, machinePage);
    found.push(...rows.map((row) => instanceFrom(context, row)).filter(matches));
  }
  return found;
}
