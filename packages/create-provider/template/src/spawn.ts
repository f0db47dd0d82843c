// #if idempotentSpawn
import { isProviderError, type Operation, type SpawnOptions } from "@slipway/core";
// #else
import type { Operation, SpawnOptions } from "@slipway/core";
// #end
import type { Call, __Name__Context } from "./context.ts";
import { refusal } from "./errors.ts";
import { materialize, statusOf, type __Name__Instance } from "./instance.ts";
import { marksOf } from "./marks.ts";
import type { __Name__Capability } from "./provider.ts";
import { requestOf, type __Name__Request } from "./request.ts";
import type { WireMachine } from "./wire.ts";

/** One creation, after the key was looked up. Spawns of one key in this process come one after the other. */
export async function spawnInstance(
  context: __Name__Context,
  options: SpawnOptions<__Name__Capability>,
): Promise<__Name__Instance> {
  const call: Call = { operation: "spawn", signal: options.signal };
  const request = requestOf(context, call.operation, options);
  return await context.inTurn(`spawn ${request.key}`, call, async () => {
    const found = await existing(context, call, request);
    if (found !== null) return materialize(found);
    // #if idempotentSpawn
    try {
      return materialize(await context.client.create(call, request.body, request.secrets));
    } catch (error) {
      // The remote keeps names unique among what lives: another process was quicker, and it is this very key.
      const taken = isProviderError(error, "CONFLICT") ? await existing(context, call, request) : null;
      if (taken === null) throw error;
      return materialize(taken);
    }
    // #else
    return materialize(await context.client.create(call, request.body, request.secrets));
    // #end
  });
}

/** The machine that a repeated key already has, or null. */
async function existing(context: __Name__Context, call: Call, request: __Name__Request): Promise<WireMachine | null> {
  const { key, specHash, body } = request;
  const alive = (await context.client.list(call)).filter(({ state }) => statusOf(state) !== "terminated");
  const stranger = alive.find(({ name, tags }) => name === body.name && marksOf(tags) === null);
  if (stranger !== undefined) {
    throw conflict(call.operation, stranger.id, `a machine that Slipway has not made is named ${body.name}`);
  }
  const ours = alive.filter(({ tags }) => {
    const marks = marksOf(tags);
    return marks?.owner === context.owner && marks.key === key;
  });
  const [first] = ours;
  if (first === undefined) return null;
  const same = ours.find(({ tags }) => marksOf(tags)?.specHash === specHash);
  if (same !== undefined) return same;
  throw conflict(call.operation, first.id, `the key ${JSON.stringify(key)} has an instance of another spec`);
}

function conflict(operation: Operation, nativeId: string, message: string): Error {
  return refusal("CONFLICT", operation, `${message}: ${nativeId}`, {
    hint: "Use another key, or terminate that instance first.",
    nativeId,
  });
}
