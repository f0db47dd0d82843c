import { type CallOptions, type Clock, type ListFilter, type Operation } from "@slipway/core";
import type { Call } from "./client.ts";
import { isId, type LambdaContext } from "./context.ts";
import { refusal } from "./errors.ts";
import { type LambdaInstance, materialize, statusOf } from "./instance.ts";
import { marksOf } from "./marks.ts";
import { checkPlace, type LambdaCapability, type LambdaRequest } from "./request.ts";
import type { WireInstance } from "./wire.ts";

export async function getInstance(
  context: LambdaContext,
  id: string,
  { signal }: CallOptions = {},
): Promise<LambdaInstance | null> {
  if (!isId(id)) return null;
  const wire = await context.client.instance({ operation: "get", signal }, id);
  if (wire !== null) return materialize(wire, context.clock);
  // Not-found so shortly after the launch is no proof.
  return context.launched.byId(id) ?? null;
}

export async function listInstances(
  context: LambdaContext,
  filter: ListFilter<LambdaCapability> = {},
  { signal }: CallOptions = {},
): Promise<readonly LambdaInstance[]> {
  const call = { operation: "list", signal };
  checkPlace(context, call.operation, filter);
  const rows = await context.client.instances(call);
  return once(rows)
    .filter((row) => isOwned(row, filter.owner ?? context.owner))
    .map((row) => materialize(row, context.clock))
    .filter((instance) => matches(instance, filter));
}

function isOwned(row: WireInstance, owner: string): boolean {
  const marks = marksOf(row);
  return marks !== null && (owner === "*" || marks.owner === owner);
}

function matches(instance: LambdaInstance, filter: ListFilter<LambdaCapability>): boolean {
  const { ids, keys, status, labels = {}, region } = filter;
  return (
    (ids === undefined || ids.includes(instance.id)) &&
    (keys === undefined || (instance.key !== null && keys.includes(instance.key))) &&
    (status === undefined ? instance.status !== "terminated" : status.includes(instance.status)) &&
    (region === undefined || instance.region === region) &&
    Object.entries(labels).every(
      ([name, value]) => Object.hasOwn(instance.labels, name) && instance.labels[name] === value,
    )
  );
}

/** Should a listing show one instance twice, it is still one. */
function once(rows: readonly WireInstance[]): readonly WireInstance[] {
  return [...new Map(rows.map((row) => [row.id, row])).values()];
}

/**
 * The instance that a repeated key already has, or null. CONFLICT where another spec stands under the key, or something
 * without our mark has its name.
 */
export async function existing(
  context: LambdaContext,
  call: Call,
  request: LambdaRequest,
): Promise<LambdaInstance | null> {
  const rows = once(await context.client.instances(call))
    .filter(({ status }) => statusOf(status) !== "terminated")
    // The listing may not tell yet what this process has done.
    .map((row) => (context.ended.byId(row.id) === true ? { ...row, status: "terminating" } : row));
  const stranger = rows.find((row) => row.name === request.name && marksOf(row) === null);
  if (stranger !== undefined) throw taken(call.operation, request, stranger.id);
  const found = rows
    .filter((row) => isOwned(row, context.owner) && marksOf(row)?.key === request.key)
    .map((row) => materialize(row, context.clock));
  if (found.length === 0) return await justLaunched(context, call, request);
  const same = found.filter(({ specHash }) => specHash === request.specHash).sort(byId);
  const [first] = same.length > 0 ? same : found;
  if (first === undefined || same.length === 0) throw otherSpec(call.operation, request, first?.id ?? "");
  return first;
}

/** What this process launched so shortly ago that a listing may not show it yet. */
async function justLaunched(
  context: LambdaContext,
  call: Call,
  request: LambdaRequest,
): Promise<LambdaInstance | null> {
  const made = context.launched.find(request.key);
  if (made === undefined) return null;
  const wire = await context.client.instance(call, made.id);
  const instance = wire === null ? made.thing : materialize(wire, context.clock);
  if (instance.status === "terminated") return null;
  if (made.thing.specHash !== request.specHash) throw otherSpec(call.operation, request, made.id);
  return instance;
}

function byId(a: LambdaInstance, b: LambdaInstance): number {
  return a.id < b.id ? -1 : 1;
}

function otherSpec(operation: Operation, { key }: LambdaRequest, nativeId: string): Error {
  return refusal("CONFLICT", operation, `another spec stands under the key ${JSON.stringify(key)}: ${nativeId}`, {
    hint: "Use another key, or terminate that instance first.",
    nativeId,
  });
}

function taken(operation: Operation, { name }: LambdaRequest, nativeId: string): Error {
  return refusal("CONFLICT", operation, `an instance that Slipway has not made is named ${name}: ${nativeId}`, {
    hint: "Slipway leaves it alone: rename or end it by hand, or use another key.",
    nativeId,
  });
}

/** An instance as it was asked for, until Lambda shows it: launch answers nothing but the id. */
export function provisional(id: string, wire: Omit<WireInstance, "id" | "status">, clock: Clock): LambdaInstance {
  return materialize({ id, status: "booting", ...wire }, clock);
}
