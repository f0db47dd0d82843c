import { isProviderError, ProviderError } from "@slipway/core";
import type { Call } from "./client.ts";
import type { RunpodContext } from "./context.ts";
import { PROVIDER } from "./errors.ts";
import { materialize, type RunpodInstance } from "./instance.ts";
import { existing } from "./look-up.ts";
import { mountFor, type VolumeMountPlan } from "./mounts.ts";
import { choosePlace, type Place } from "./placements.ts";
import { type RunpodRequest, type RunpodSpawnOptions, requestOf } from "./request.ts";
import type { CreateBody, WirePod } from "./wire.ts";

/** One create, after the key was looked up. Spawns of one key in this process come one after the other. */
export async function spawnInstance(context: RunpodContext, options: RunpodSpawnOptions): Promise<RunpodInstance> {
  const call: Call = { operation: "spawn", signal: options.signal };
  const request = requestOf(context, call.operation, options);
  return await context.inTurn(`spawn ${request.key}`, call, async () => {
    const found = await existing(context, call, request);
    return found ?? (await create(context, call, request));
  });
}

async function create(context: RunpodContext, call: Call, request: RunpodRequest): Promise<RunpodInstance> {
  const mount = await mountFor(context, call, request.options);
  const place = await choosePlace(
    context,
    call,
    mount === null ? request.options : { ...request.options, ...mount.place },
  );
  const body = bodyFor(request, place, mount);
  let pod: WirePod;
  try {
    pod = await context.client.create(call, body, request.secrets);
  } catch (error) {
    if (!isProviderError(error) || error.effect !== "none") context.spawned.unclear(request.key);
    throw error;
  }
  if (pod.name !== undefined && pod.name !== body.name) {
    context.spawned.unclear(request.key);
    throw mixedUp(call);
  }
  // What was asked for, where the answer leaves it out.
  const made = { ...pod, env: pod.env ?? body.env };
  context.spawned.made(request.key, made);
  return materialize(made, context.clock);
}

function bodyFor({ body }: RunpodRequest, { machine, dataCenter }: Place, mount: VolumeMountPlan | null): CreateBody {
  return {
    ...body,
    cloud: machine.cloud,
    ...(machine.gpu === undefined ? {} : { gpu: machine.gpu }),
    ...(machine.cpu === undefined ? {} : { cpu: machine.cpu }),
    ...(dataCenter === undefined ? {} : { dataCenterIds: [dataCenter] }),
    ...(mount === null ? {} : { mounts: mount.mounts }),
  };
}

function mixedUp({ operation }: Call): Error {
  return new ProviderError("INTERNAL", {
    message: "the answer to the create is about another pod",
    provider: PROVIDER,
    operation,
    effect: "applied",
    hint: "Look the key up: the pod was made, and this answer does not name it.",
  });
}
