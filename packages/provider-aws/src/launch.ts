import { type ErrorCode, isProviderError, timestamp } from "@slipway/core";
import { bootstrapSecrets } from "@slipway/provider-kit/bootstrap";
import { afterRefusal, PROVIDER, refusal } from "./call.ts";
import type { AwsContext, Call } from "./context.ts";
import { nativeCodeOf } from "./errors.ts";
import { type AWSInstance, isEnding, materialize } from "./instance.ts";
import { isInstanceId, madeByToken, type UnderKey, underKey, underKeyInTheEnd } from "./lookup.ts";
import type { SpawnRequest } from "./request.ts";
import { clientToken, type LaunchParts, runRequest } from "./run-request.ts";
import { reachOf } from "./unavailable.ts";

const MOST_GENERATIONS = 50;
const LOOK_AGAIN_MS = 2_000;

/**
 * The launch itself. EC2 answers a repeated token with the instance that it made; where that one has ended the next
 * generation is asked for, and where the token stands for another request it is looked up what that one made.
 */
export async function launched(
  context: AwsContext,
  call: Call,
  request: SpawnRequest,
  parts: LaunchParts,
  first: number,
): Promise<AWSInstance> {
  for (let generation = first; generation < first + MOST_GENERATIONS; generation += 1) {
    try {
      const made = await run(context, call, request, parts, generation);
      // EC2 has answered a repeated token with an instance that it ends.
      if (isEnding(made)) continue;
      context.launched.add(request.key, made.nativeId, made);
      tried(context, request, parts, "ok");
      return made;
    } catch (error) {
      const code = nativeCodeOf(error);
      if (code === "IdempotentInstanceTerminated") continue;
      if (code !== "IdempotentParameterMismatch") {
        return await foundAfter(context, call, request, error);
      }
      const token = clientToken(context.owner, request, parts.place, generation);
      const rival = await rivalOf(context, call, request, token);
      if (rival !== "ended") return rival;
    }
  }
  throw refusal("CONFLICT", call.operation, `the key ${JSON.stringify(request.key)} has had too many instances`, {
    hint: "Use another key.",
  });
}

async function run(
  context: AwsContext,
  call: Call,
  request: SpawnRequest,
  parts: LaunchParts,
  generation: number,
): Promise<AWSInstance> {
  const { region, script, key } = request;
  const input = runRequest(context, call, request, parts, generation);
  const secrets = bootstrapSecrets(script, input.UserData);
  try {
    const { Instances = [] } = await context.client.send(call, region, "RunInstances", input, { secrets });
    const [made] = Instances;
    if (made === undefined || !isInstanceId(made.InstanceId ?? "")) {
      throw refusal("INTERNAL", call.operation, "EC2 accepted the launch and told no instance", { effect: "applied" });
    }
    return materialize(region, made);
  } catch (error) {
    if (isProviderError(error)) tried(context, request, parts, error.code);
    if (isProviderError(error) && error.effect === "unknown") context.unclear.add(key, key, true);
    noteUnavailable(context, request, parts, error);
    throw error;
  }
}

function tried(
  context: AwsContext,
  { region, instanceType }: SpawnRequest,
  { place }: LaunchParts,
  outcome: "ok" | ErrorCode,
): void {
  const placement = `${instanceType} in ${place.subnetId ?? place.zone ?? region}`;
  context.emit({ type: "placement.tried", at: timestamp(context.clock), provider: PROVIDER, placement, outcome });
}

/** What EC2 had no capacity for is remembered for a while, for whoever chooses a place next. */
function noteUnavailable(
  context: AwsContext,
  { options, region, instanceType }: SpawnRequest,
  { place }: LaunchParts,
  error: unknown,
): void {
  if (!isProviderError(error)) return;
  const capacityType = options.spot === undefined ? "on-demand" : "spot";
  const offering = { capacityType, type: instanceType, region, zone: place.zone, subnet: place.subnetId } as const;
  const reach = reachOf(error, offering);
  if (reach !== null) context.unavailable.note(...reach);
}

/**
 * A repetition that exceeds a quota is refused, although its instance is there: EC2 promises nothing else. After an answer
 * that was lost the instance may not be shown yet.
 */
async function foundAfter(
  context: AwsContext,
  call: Call,
  request: SpawnRequest,
  error: unknown,
): Promise<AWSInstance> {
  if (!isProviderError(error, "QUOTA_EXCEEDED")) throw error;
  const look = context.unclear.byId(request.key) === undefined ? underKey : underKeyInTheEnd;
  const under = await afterRefusal(call, "EC2 refuses the launch, as it may refuse its repetition", () =>
    look(context, call, request.key),
  );
  const found = findExisting(context, call, request, under);
  if (found === undefined) throw error;
  return found;
}

/**
 * What stands under the key where its token belongs to another request: another process's, or one whose image or secret
 * has changed since. It may not be shown yet, so it is looked for as long as reads may lag. `ended`: it is no more.
 */
async function rivalOf(
  context: AwsContext,
  call: Call,
  request: SpawnRequest,
  token: string,
): Promise<AWSInstance | "ended"> {
  const until = context.clock.now() + context.readAfterWriteMs;
  for (;;) {
    const known = "EC2 knows another launch under this key";
    const under = await afterRefusal(call, known, () => underKey(context, call, request.key));
    const found = findExisting(context, call, request, under);
    if (found !== undefined) return found;
    const made = await afterRefusal(call, known, () => madeByToken(context, call, request.region, token));
    if (made !== undefined && isEnding(made)) return "ended";
    const left = until - context.clock.now();
    // Nothing shows it, and everything would by now.
    if (left <= 0) return "ended";
    await context.clock.sleep(Math.min(LOOK_AGAIN_MS, left), call.signal);
  }
}

/** The instance that a repeated key already has. CONFLICT if that has another spec, or an unmanaged machine has the name. */
export function findExisting(
  context: AwsContext,
  call: Call,
  request: SpawnRequest,
  { live, ended, unmanaged }: UnderKey,
): AWSInstance | undefined {
  if (unmanaged !== undefined) {
    throw refusal(
      "CONFLICT",
      call.operation,
      `an instance that Slipway has not made is named ${request.name}: ${unmanaged.nativeId}`,
      { nativeId: unmanaged.id, hint: "Slipway leaves it alone: rename or end it by hand, or use another key." },
    );
  }
  const launched = context.launched.find(request.key)?.thing;
  // What this process has launched just now may be over already: then EC2 says so.
  const isOver = launched === undefined || ended.includes(launched.nativeId);
  const there = live.length > 0 || isOver ? live : [launched];
  const same = there.find(({ specHash }) => specHash === request.specHash);
  const [other] = there;
  if (same !== undefined || other === undefined) return same;
  throw refusal(
    "CONFLICT",
    call.operation,
    `the key ${JSON.stringify(request.key)} has an instance of another spec: ${other.id}`,
    {
      nativeId: other.id,
      hint: "Use another key, or terminate that instance first.",
    },
  );
}
