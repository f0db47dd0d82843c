import { type HibernationMethods, isProviderError } from "@slipway/core";
import { afterWrite, refusal } from "../call.ts";
import type { AwsContext, Call } from "../context.ts";
import { nativeCodeOf } from "../errors.ts";
import type { AWSInstance } from "../instance.ts";

// The agent inside is ready about two minutes after the launch.
const READY_AGAIN_MS = 10_000;
const READY_WITHIN_MS = 180_000;

export function hibernationMethods(context: AwsContext): HibernationMethods<AWSInstance> {
  return {
    hibernate: (id, { signal } = {}) => hibernate(context, { operation: "hibernate", signal }, id),
    resume: (id, { signal } = {}) => resume(context, { operation: "resume", signal }, id),
  };
}

/**
 * Looks before it asks: EC2 stops an instance that cannot hibernate all the same, and its memory is gone. Whether it
 * really hibernated is told by the status afterwards: `stopped` says that EC2 fell back to a plain shutdown.
 */
async function hibernate(context: AwsContext, call: Call, id: string): Promise<AWSInstance> {
  const instance = await getUnended(context, call, id);
  const { state, status, nativeId } = instance;
  if (!instance.hibernationConfigured) {
    throw refusal("INVALID_STATE", call.operation, `${id} was not spawned with hibernation: it cannot be added later`);
  }
  const isStopped = status === "stopping" || status === "hibernated";
  const isResumed = context.powered.byId(nativeId) === "resume";
  if (isStopped && !isResumed) return instance;
  if (state === "pending")
    throw refusal("BUSY", call.operation, `${id} is still starting`, { retryAfterMs: READY_AGAIN_MS });
  if (state !== "running" && !isStopped) throw refusal("INVALID_STATE", call.operation, `${id} is ${state}`);
  await changePower(context, nativeId, "hibernate", () =>
    stopHibernating(context, call, instance).catch((error: unknown) => {
      throw isStopped && isOtherState(error)
        ? refusal("BUSY", call.operation, `${id} is still starting`, { retryAfterMs: READY_AGAIN_MS })
        : error;
    }),
  );
  return await afterWrite(call, "it hibernates", () => context.lifeCycle().managed(call, id));
}

/** The agent inside is ready some time after the start: until then EC2 refuses, and nothing has happened. */
async function stopHibernating(context: AwsContext, call: Call, { region, nativeId }: AWSInstance): Promise<void> {
  const until = context.clock.now() + READY_WITHIN_MS;
  for (;;) {
    try {
      await context.client.send(call, region, "StopInstances", { InstanceIds: [nativeId], Hibernate: true });
      return;
    } catch (error) {
      if (!isNotReady(error)) throw error;
      if (context.clock.now() >= until) throw notReady(call, nativeId);
    }
    await context.clock.sleep(READY_AGAIN_MS, call.signal);
  }
}

async function resume(context: AwsContext, call: Call, id: string): Promise<AWSInstance> {
  const instance = await getUnended(context, call, id);
  const { region, nativeId, state } = instance;
  if (!instance.hibernationConfigured) {
    throw refusal("INVALID_STATE", call.operation, `${id} was not spawned with hibernation`);
  }
  const isStarted = state === "running" || state === "pending";
  const isHibernated = context.powered.byId(nativeId) === "hibernate";
  if (isStarted && !isHibernated) return instance;
  if (state === "stopping") throw stillStopping(call, id);
  if (state !== "stopped" && !isStarted) throw refusal("INVALID_STATE", call.operation, `${id} is ${state}`);
  await changePower(context, nativeId, "resume", () =>
    context.client.send(call, region, "StartInstances", { InstanceIds: [nativeId] }).catch((error: unknown) => {
      throw isStarted && isOtherState(error) ? stillStopping(call, id) : error;
    }),
  );
  return await afterWrite(call, "it starts", () => context.lifeCycle().managed(call, id));
}

/** The instance, unless this process has ended it so shortly ago that reads do not show it. */
async function getUnended(context: AwsContext, call: Call, id: string): Promise<AWSInstance> {
  const instance = await context.lifeCycle().managed(call, id);
  if (!context.lifeCycle().isEnded(id)) return instance;
  throw refusal("INVALID_STATE", call.operation, `${id} is ending`);
}

/**
 * Sends what changes an instance, and remembers it also where its answer was lost: until reads show it, a call that
 * wants the opposite must ask EC2 instead of believing that nothing is to be done.
 */
async function changePower<T>(
  context: AwsContext,
  nativeId: string,
  wish: "hibernate" | "resume",
  work: () => Promise<T>,
): Promise<void> {
  try {
    await work();
  } catch (error) {
    if (isProviderError(error) && error.effect !== "none") context.powered.add(wish, nativeId, wish);
    throw error;
  }
  context.powered.add(wish, nativeId, wish);
}

function isOtherState(error: unknown): boolean {
  return nativeCodeOf(error) === "IncorrectInstanceState";
}

function stillStopping(call: Call, id: string): Error {
  return refusal("BUSY", call.operation, `${id} is still stopping`, { retryAfterMs: 5000 });
}

/** EC2's own word for "wait a little". */
function isNotReady(error: unknown): boolean {
  return (
    isProviderError(error) &&
    nativeCodeOf(error) === "UnsupportedOperation" &&
    /not ready to hibernate/i.test(error.message)
  );
}

function notReady(call: Call, native: string): Error {
  return refusal("BUSY", call.operation, `${native} is not ready to hibernate yet`, {
    retryAfterMs: READY_AGAIN_MS,
    hint: "The agent inside needs about two minutes after the start; an image without it never gets ready.",
  });
}
