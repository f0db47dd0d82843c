import { type CallOptions, type ListFilter, nameFor, type Operation } from "@slipway/core";
import { type LocalContext, nameOf } from "./context.ts";
import { failure, translated } from "./errors.ts";
import { type LocalInstance, materialize } from "./instance.ts";
import type { InstanceRecord } from "./state/records.ts";

/** The record of an id; null if there is none. What stands there without our tag is none of ours. */
export async function recordOf(
  context: LocalContext,
  id: string,
  operation: Operation,
): Promise<InstanceRecord | null> {
  const name = nameOf(id);
  if (name === null) return null;
  try {
    const record = await context.state.instances.read(name, operation);
    return record?.id === id ? record : null;
  } catch (error) {
    throw translated(error, operation, "none");
  }
}

export async function getLocal(context: LocalContext, id: string): Promise<LocalInstance | null> {
  const record = await recordOf(context, id, "get");
  return record === null ? null : await materialize(context.state, record);
}

/** The instance, or NOT_FOUND. */
export async function mustGet(context: LocalContext, id: string, operation: Operation): Promise<LocalInstance> {
  const record = await recordOf(context, id, operation);
  if (record === null) throw failure("unknown-instance", operation, `there is no instance ${JSON.stringify(id)}`);
  return await materialize(context.state, record);
}

export async function listLocal(
  context: LocalContext,
  filter: ListFilter = {},
  call: CallOptions = {},
): Promise<readonly LocalInstance[]> {
  const owned = { ...filter, owner: filter.owner ?? context.owner };
  const records = await context.state.instances.list("list", namesIn(owned)).catch((error: unknown) => {
    throw translated(error, "list", "none");
  });
  const wanted = records.filter(matching(owned));
  const found: LocalInstance[] = [];
  for (const record of wanted) {
    call.signal?.throwIfAborted();
    found.push(await materialize(context.state, record));
  }
  const { status } = filter;
  return found.filter((instance) =>
    status === undefined ? instance.status !== "terminated" : status.includes(instance.status),
  );
}

type OwnedFilter = ListFilter & { readonly owner: string };

/** The only names that can match; undefined where all have to be read. */
function namesIn({ ids, keys, owner }: OwnedFilter): ReadonlySet<string> | undefined {
  if (ids !== undefined) return new Set(ids.map(nameOf).filter((name) => name !== null));
  return keys === undefined || owner === "*" ? undefined : new Set(keys.map((key) => nameFor(owner, key)));
}

function matching({ ids, keys, labels, owner }: OwnedFilter): (record: InstanceRecord) => boolean {
  const idSet = ids && new Set(ids);
  const keySet = keys && new Set(keys);
  return (record) =>
    (owner === "*" || record.owner === owner) &&
    (idSet?.has(record.id) ?? true) &&
    (keySet?.has(record.key) ?? true) &&
    Object.entries(labels ?? {}).every(
      ([name, value]) => Object.hasOwn(record.labels, name) && record.labels[name] === value,
    );
}
