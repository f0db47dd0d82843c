// #if idempotentSpawn
import { isProviderError, type Operation, type SpawnOptions } from "@slipway/core";
// #else
import type { Operation, SpawnOptions } from "@slipway/core";
// #end
import type { Call, __Name__Context } from "./context.ts";
import { refusal } from "./errors.ts";
import { ENDING, materialize, statusOf, type __Name__Instance } from "./instance.ts";
import { ownershipOf } from "./ownership.ts";
import type { __Name__Capability } from "./provider.ts";
import { requestOf, type __Name__Request } from "./request.ts";
import type { WireMachine } from "./wire.ts";

// #if idempotentSpawn
/** How long until a repeated spawn is worth a call while the remote still holds the name. */
const NAME_HELD_MS = 5_000;

// #end
/** One creation, after the key was looked up. Spawns of one key in this process come one after the other. */
export async function spawnInstance(
  context: __Name__Context,
  options: SpawnOptions<__Name__Capability>,
): Promise<__Name__Instance> {
  const call: Call = { operation: "spawn", signal: options.signal };
  const request = requestOf(context, call.operation, options);
  return await context.keyedMutex(`spawn ${request.key}`, call, async () => {
    const found = await findExisting(context, call, request);
    if (found !== null) return materialize(found);
    // #if idempotentSpawn
    try {
      return materialize(await context.client.create(call, request.body, request.secrets));
    } catch (error) {
      // The remote keeps names unique among what lives: another process was quicker, and it is this very key.
      if (!isProviderError(error, "CONFLICT")) throw error;
      const taken = await findExisting(context, call, request);
      if (taken !== null) return materialize(taken);
      const machines = await context.client.list(call);
      if (!machines.some(({ name, state }) => name === request.body.name && ENDING.has(statusOf(state)))) throw error;
      // Nothing was made, and the name is free in a while.
      throw refusal("BUSY", call.operation, `the name ${request.body.name} is held by a machine that is terminating`, {
        retryAfterMs: NAME_HELD_MS,
        cause: error,
      });
    }
    // #else
    return materialize(await context.client.create(call, request.body, request.secrets));
    // #end
  });
}

/** The machine that a repeated key already has, or null. */
async function findExisting(context: __Name__Context, call: Call, request: __Name__Request): Promise<WireMachine | null> {
  const { key, specHash, body } = request;
  // One that is terminating is never returned: its caller would be left with nothing.
  const alive = (await context.client.list(call)).filter(({ state }) => !ENDING.has(statusOf(state)));
  const unmanaged = alive.find(({ name, tags }) => name === body.name && ownershipOf(tags) === null);
  if (unmanaged !== undefined) {
    throw conflict(call.operation, unmanaged.id, `a machine that Slipway has not made is named ${body.name}`);
  }
  const ours = alive.filter(({ tags }) => {
    const ownership = ownershipOf(tags);
    return ownership?.owner === context.owner && ownership.key === key;
  });
  const [first] = ours;
  if (first === undefined) return null;
  const same = ours.find(({ tags }) => ownershipOf(tags)?.specHash === specHash);
  if (same !== undefined) return same;
  throw conflict(call.operation, first.id, `the key ${JSON.stringify(key)} has an instance of another spec`);
}

function conflict(operation: Operation, nativeId: string, message: string): Error {
  return refusal("CONFLICT", operation, `${message}: ${nativeId}`, {
    hint: "Use another key, or terminate that instance first.",
    nativeId,
  });
}
