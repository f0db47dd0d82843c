import type { CallOptions, ListFilter, Operation } from "@slipway/core";
import { bootstrapState } from "./bootstrap.ts";
import type { Call } from "./call.ts";
import type { AppleContainerContext } from "./context.ts";
import { refusal } from "./errors.ts";
import { formatId, parseId } from "./ids.ts";
import { type AppleContainerInstance, materialize } from "./instance.ts";
import { marksOf } from "./marks.ts";
import type { AppleContainerRequest } from "./request.ts";
import type { WireContainer } from "./wire.ts";

export async function getInstance(
  context: AppleContainerContext,
  id: string,
  { signal }: CallOptions = {},
): Promise<AppleContainerInstance | null> {
  const call: Call = { operation: "get", signal };
  const wire = await containerOf(context, call, id);
  return wire === null ? null : await withBootstrap(context, call, wire);
}

/** The container that an id means; null if it is gone, also where another of the same name has followed. */
export async function containerOf(
  { client }: AppleContainerContext,
  call: Call,
  id: string,
): Promise<WireContainer | null> {
  const parsed = parseId(id);
  if (parsed === null) return null;
  const wire = await client.container(call, parsed.name);
  if (wire === null || parsed.generation === null) return wire;
  return marksOf(wire)?.generation === parsed.generation ? wire : null;
}

/** One more command, for an instance that has a bootstrap and can be asked. */
export async function withBootstrap(
  { client }: AppleContainerContext,
  call: Call,
  wire: WireContainer,
): Promise<AppleContainerInstance> {
  const asks = marksOf(wire)?.bootstrap !== undefined && wire.status.state === "running";
  return materialize(wire, asks ? await bootstrapState(client, call, wire.id) : undefined);
}

/** One command for all: so it does not ask inside for the bootstraps. */
export async function listInstances(
  context: AppleContainerContext,
  filter: ListFilter<"persistentVolumes"> = {},
  { signal }: CallOptions = {},
): Promise<readonly AppleContainerInstance[]> {
  const { owner = context.owner } = filter;
  const rows = await context.client.containers({ operation: "list", signal });
  return rows
    .filter((row) => isOwned(row, owner))
    .map((row) => materialize(row))
    .filter((instance) => matches(instance, filter));
}

export function isOwned(row: WireContainer, owner: string): boolean {
  const marks = marksOf(row);
  return marks !== null && (owner === "*" || marks.owner === owner);
}

function matches(instance: AppleContainerInstance, filter: ListFilter): boolean {
  const { ids, keys, status, labels = {} } = filter;
  return (
    (ids === undefined || ids.includes(instance.id)) &&
    (keys === undefined || (instance.key !== null && keys.includes(instance.key))) &&
    (status === undefined ? instance.status !== "terminated" : status.includes(instance.status)) &&
    Object.entries(labels).every(
      ([name, value]) => Object.hasOwn(instance.labels, name) && instance.labels[name] === value,
    )
  );
}

/** What stands under the request's name, if it is the request's; CONFLICT for another spec, and for a stranger. */
export function assertSame(
  { owner }: AppleContainerContext,
  operation: Operation,
  wire: WireContainer,
  { key, name, specHash }: AppleContainerRequest,
): void {
  const marks = marksOf(wire);
  if (marks === null || marks.owner !== owner || marks.key !== key) {
    throw refusal("CONFLICT", operation, `a container that is not of this key is named ${name}`, {
      hint: "Slipway leaves it alone: remove it by hand, or use another key.",
      nativeId: wire.id,
    });
  }
  if (marks.specHash === specHash) return;
  throw refusal("CONFLICT", operation, `another spec stands under the key ${JSON.stringify(key)}: ${wire.id}`, {
    hint: "Use another key, or terminate that instance first.",
    nativeId: formatId(wire.id, marks.generation),
  });
}
