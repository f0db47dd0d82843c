import type { CallOptions, ListFilter } from "@slipway/core";
import { isId, type __Name__Context } from "./context.ts";
// #if multiRegion
import { refusal } from "./errors.ts";
// #end
import { materialize, type __Name__Instance } from "./instance.ts";
import { ownershipOf } from "./ownership.ts";
import type { __Name__Capability } from "./provider.ts";

export async function getInstance(
  { client }: __Name__Context,
  id: string,
  { signal }: CallOptions = {},
): Promise<__Name__Instance | null> {
  if (!isId(id)) return null;
  const wire = await client.read({ operation: "get", signal }, id);
  return wire === null ? null : materialize(wire);
}

export async function listInstances(
  context: __Name__Context,
  filter: ListFilter<__Name__Capability> = {},
  { signal }: CallOptions = {},
): Promise<readonly __Name__Instance[]> {
  const call = { operation: "list", signal };
  // #if multiRegion
  if (filter.region !== undefined && !context.regions.includes(filter.region)) {
    throw refusal("INVALID_SPEC", call.operation, `region ${JSON.stringify(filter.region)} is not configured`);
  }
  // #end
  const owner = filter.owner ?? context.owner;
  const rows = await context.client.list(call);
  return rows
    .filter(({ tags }) => {
      const ownership = ownershipOf(tags);
      return ownership !== null && (owner === "*" || ownership.owner === owner);
    })
    .map(materialize)
    .filter((instance) => matches(instance, filter));
}

function matches(instance: __Name__Instance, filter: ListFilter<__Name__Capability>): boolean {
  const { ids, keys, status, labels = {} } = filter;
  return (
    (ids === undefined || ids.includes(instance.id)) &&
    (keys === undefined || (instance.key !== null && keys.includes(instance.key))) &&
    (status === undefined ? instance.status !== "terminated" : status.includes(instance.status)) &&
    // #if multiRegion
    (filter.region === undefined || instance.region === filter.region) &&
    // #end
    Object.entries(labels).every(([name, value]) => Object.hasOwn(instance.labels, name) && instance.labels[name] === value)
  );
}
