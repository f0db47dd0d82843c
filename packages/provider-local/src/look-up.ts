import { type CallOptions, type ListFilter, type Operation } from "@slipway/core";
import type { LocalContext } from "./context.ts";
import { failure, translated } from "./errors.ts";
import { nameOf } from "./ids.ts";
import { type LocalInstance, materialize } from "./instance.ts";
import type { InstanceRecord } from "./state/records.ts";

/** The record of an id; null if there is none. What stands there without our mark is none of ours. */
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
  const records = await context.state.instances.list("list").catch((error: unknown) => {
    throw translated(error, "list", "none");
  });
  const wanted = records.filter((record) => matches(record, filter, context.owner));
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

function matches(record: InstanceRecord, filter: ListFilter, owner: string): boolean {
  const { ids, keys, labels, owner: asked = owner } = filter;
  if (asked !== "*" && record.owner !== asked) return false;
  if (ids !== undefined && !ids.includes(record.id)) return false;
  if (keys !== undefined && !keys.includes(record.key)) return false;
  return Object.entries(labels ?? {}).every(
    ([name, value]) => Object.hasOwn(record.labels, name) && record.labels[name] === value,
  );
}
