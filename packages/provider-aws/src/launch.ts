import { type ErrorCode, isProviderError, timestamp } from "@slipway/core";
import { bootstrapSecrets } from "@slipway/provider-kit/bootstrap";
import type { CreateAttempt, Created } from "@slipway/provider-kit/driver";
import { afterRefusal, PROVIDER, refusal } from "./call.ts";
import { type AwsContext, type Call, lookUntilShown } from "./context.ts";
import { nativeCodeOf } from "./errors.ts";
import { forgetImage } from "./images.ts";
import { type AWSInstance, isEnding, materialize } from "./instance.ts";
import { isInstanceId, madeByToken } from "./lookup.ts";
import { needsGroup } from "./place.ts";
import { type AwsRequest, nextGeneration } from "./request.ts";
import { clientToken, type LaunchParts, launchParts, runRequest } from "./run-request.ts";
import { forgetSecurityGroups } from "./security-group.ts";
import { reachOf } from "./unavailable.ts";

const MOST_GENERATIONS = 50;
const LOOK_AGAIN_MS = 2_000;
const GROUP_GONE = /^Invalid(Group|GroupId|SecurityGroupID|VpcID)\.NotFound$/;

/** One launch under a key that has no instance; what had the key before decides its generation. */
export async function launch(
  context: AwsContext,
  call: Call,
  request: AwsRequest,
  { previous, find }: CreateAttempt<AWSInstance>,
): Promise<Created<AWSInstance>> {
  const first = nextGeneration(previous);
  return await withGroup(context, call, request, () =>
    withImage(context, call, request, (parts) => launchGenerations(context, call, request, parts, { first, find })),
  );
}

/**
 * A security group of ours that is remembered may have been deleted, and one that was just made may not be known yet:
 * as long as reads may lag it is looked for, or made, again.
 */
async function withGroup<T>(
  context: AwsContext,
  call: Call,
  { options, prepared: { region } }: AwsRequest,
  work: () => Promise<T>,
): Promise<T> {
  const until = context.clock.now() + context.readAfterWriteMs;
  for (;;) {
    try {
      return await work();
    } catch (error) {
      const isOurs = needsGroup(options) && GROUP_GONE.test(nativeCodeOf(error));
      const left = until - context.clock.now();
      if (!isOurs || left <= 0) throw error;
      forgetSecurityGroups(context, region);
      await context.clock.sleep(Math.min(LOOK_AGAIN_MS, left), call.signal);
    }
  }
}

/** An image that is remembered may be gone, and then its parameter names another one. */
async function withImage<T>(
  context: AwsContext,
  call: Call,
  request: AwsRequest,
  work: (parts: LaunchParts) => Promise<T>,
): Promise<T> {
  const parts = await launchParts(context, call, request);
  try {
    return await work(parts);
  } catch (error) {
    if (!forgetImage(context, request.prepared.region, parts.image, error)) throw error;
    const newer = await launchParts(context, call, request);
    if (newer.image.ImageId === parts.image.ImageId) throw error;
    return await work(newer);
  }
}

/**
 * EC2 answers a repeated token with the instance that it made; where that one has ended the next generation is asked for,
 * and where the token belongs to another request, it looks for what that one made. A quota refuses also a repetition
 * whose instance is there: EC2 promises nothing else.
 */
async function launchGenerations(
  context: AwsContext,
  call: Call,
  request: AwsRequest,
  parts: LaunchParts,
  { first, find }: { readonly first: number } & Pick<CreateAttempt<AWSInstance>, "find">,
): Promise<Created<AWSInstance>> {
  for (let generation = first; generation < first + MOST_GENERATIONS; generation += 1) {
    try {
      const made = await run(context, call, request, parts, generation);
      // EC2 has answered a repeated token with an instance that it ends.
      if (isEnding(made)) continue;
      context.launched.add(request.name, made.nativeId, made);
      emitTried(context, request, parts, "ok");
      return { machine: made };
    } catch (error) {
      const code = nativeCodeOf(error);
      if (code === "IdempotentInstanceTerminated") continue;
      const isOther = code === "IdempotentParameterMismatch";
      if (!isOther && !isProviderError(error, "QUOTA_EXCEEDED")) throw error;
      const token = clientToken(context.owner, request, parts.place, generation);
      const found = isOther
        ? await rivalOf(context, call, request, token, find)
        : await afterRefusal(call, "EC2 refuses the launch, as it may refuse its repetition", find);
      if (found !== null) return { found };
      if (!isOther) throw error;
    }
  }
  throw refusal("CONFLICT", call.operation, `the key ${JSON.stringify(request.key)} has had too many instances`, {
    hint: "Use another key.",
  });
}

/**
 * Returns the instance of the key where its token belongs to another request: another process's, or one whose image or secret
 * has changed since. It may not be shown yet, so it is looked for as long as reads may lag. Null: it is no more.
 */
async function rivalOf(
  context: AwsContext,
  call: Call,
  { prepared: { region } }: AwsRequest,
  token: string,
  find: CreateAttempt<AWSInstance>["find"],
): Promise<AWSInstance | null> {
  const rival = await lookUntilShown(context, call, () =>
    afterRefusal(call, "EC2 knows another launch under this key", async () => {
      const found = await find();
      if (found !== null) return found;
      const made = await madeByToken(context, call, region, token);
      return made !== undefined && isEnding(made) ? "ended" : undefined;
    }),
  );
  return rival === "ended" || rival === undefined ? null : rival;
}

async function run(
  context: AwsContext,
  call: Call,
  request: AwsRequest,
  parts: LaunchParts,
  generation: number,
): Promise<AWSInstance> {
  const { region } = request.prepared;
  const input = runRequest(context, call, request, parts, generation);
  const secrets = bootstrapSecrets(request.script, input.UserData);
  try {
    const { Instances = [] } = await context.client.send(call, region, "RunInstances", input, { secrets });
    const [made] = Instances;
    if (made === undefined || !isInstanceId(made.InstanceId ?? "")) {
      throw refusal("INTERNAL", call.operation, "EC2 accepted the launch and told no instance", { effect: "applied" });
    }
    return materialize(region, made);
  } catch (error) {
    if (isProviderError(error)) emitTried(context, request, parts, error.code);
    noteUnavailable(context, request, parts, error);
    throw error;
  }
}

function emitTried(
  context: AwsContext,
  { prepared: { region, instanceType } }: AwsRequest,
  { place }: LaunchParts,
  outcome: "ok" | ErrorCode,
): void {
  const placement = `${instanceType} in ${place.subnetId ?? place.zone ?? region}`;
  context.emit({ type: "placement.tried", at: timestamp(context.clock), provider: PROVIDER, placement, outcome });
}

/** What EC2 had no capacity for is remembered for a while, for whoever chooses a place next. */
function noteUnavailable(
  context: AwsContext,
  { options, prepared: { region, instanceType } }: AwsRequest,
  { place }: LaunchParts,
  error: unknown,
): void {
  if (!isProviderError(error)) return;
  const capacityType = options.spot === undefined ? "on-demand" : "spot";
  const offering = { capacityType, type: instanceType, region, zone: place.zone, subnet: place.subnetId } as const;
  const reach = reachOf(error, offering);
  if (reach !== null) context.unavailable.note(...reach);
}
