import {
  type ErrorCode,
  type ErrorScope,
  isProviderError,
  ProviderError,
  type StepOptions,
  type Workflow,
  type WorkflowContext,
  type WorkflowContract,
  workflow,
} from "@slipway/core";
import * as z from "zod/mini";
import { afterWrite, PROVIDER, refusal } from "../call.ts";
import type { AwsContext } from "../context.ts";
import { placesOf } from "../placements.ts";
import type { AwsProvider } from "../provider.ts";
import type { AWSSpawnOptions } from "../request.ts";
import { mayTryNextPlace } from "../unavailable.ts";
import { checkSpawn, type SpawnInput, spawnInput, spawnOptions } from "./input.ts";
import { endAll, findMadeBefore } from "./instances.ts";

export interface MultiAzInput {
  readonly spawn: SpawnInput;
  /** Only these; all that sell the machine type if absent. */
  readonly zones?: readonly string[] | undefined;
}

export interface MultiAzOutput {
  readonly instanceId: string;
  readonly key: string;
  readonly region: string;
  readonly zone: string;
  readonly attempts: readonly { readonly zone: string; readonly outcome: string }[];
}

const input: z.ZodMiniType<MultiAzInput> = z.strictObject({
  spawn: spawnInput,
  zones: z.optional(z.array(z.string().check(z.minLength(1))).check(z.minLength(1))),
});

const output: z.ZodMiniType<MultiAzOutput> = z.object({
  instanceId: z.string(),
  key: z.string(),
  region: z.string(),
  zone: z.string(),
  attempts: z.array(z.object({ zone: z.string(), outcome: z.string() })),
});

/** One instance in whichever zone has capacity: at most one, whatever happens on the way. */
export function multiAz(parts: AwsParts): Workflow<MultiAzInput, MultiAzOutput> {
  return workflow<MultiAzInput, MultiAzOutput>({
    type: "aws.multi-az",
    version: 1,
    input,
    output,
    run: async (ctx, { spawn, zones }) => {
      const launched = await launchSomewhere(ctx, parts, spawnOptions(spawn), { zones });
      return { ...launched, attempts: launched.attempts.map((attempt) => ({ ...attempt })) };
    },
  });
}

export const multiAzContract: WorkflowContract<MultiAzInput, MultiAzOutput> = {
  validateInput: (given) => z.parse(input, given),
  requiredOutputFields: ["instanceId", "key", "region", "zone", "attempts"],
  maxDurationMs: 1_800_000,
};

/** Where the instance is, and where it was refused before. */
export interface Launched {
  readonly instanceId: string;
  readonly region: string;
  readonly zone: string;
  readonly key: string;
  /** In the order of the attempts; the last one is where it runs. */
  readonly attempts: readonly { readonly zone: string; readonly outcome: string }[];
}

/** What a workflow works with: the provider checks what it is given, and the context knows what no method tells. */
export interface AwsParts {
  readonly context: AwsContext;
  readonly provider: Pick<AwsProvider, "spawn">;
}

/** What a journal keeps of a place. */
interface PlannedPlace {
  readonly region: string;
  readonly zone: string;
  readonly subnetId: string;
}

type Outcome =
  | { readonly instanceId: string; readonly code: null }
  | { readonly instanceId: null; readonly code: ErrorCode; readonly scope?: ErrorScope };

const RETRY = { attempts: 4, delayMs: 2000 } as const;
const RUNNING_WITHIN_MS = 300_000;
const LOOK_MS = 3000;

/**
 * Launches one instance in the first zone that takes it. The order and the key are chosen once and kept, so that a run
 * that goes on after a crash asks the same zones with the same request: EC2 answers a repeated request with what it
 * made before. The next zone is asked only after a refusal that is known to have made nothing; where that is not known,
 * the same zone is asked again, and if it stays unknown the run fails and takes everything back. So there is at most one.
 */
export async function launchSomewhere(
  ctx: WorkflowContext,
  { context, provider }: AwsParts,
  options: AWSSpawnOptions,
  { zones, pool }: { readonly zones?: readonly string[] | undefined; readonly pool?: string | undefined } = {},
): Promise<Launched> {
  const plan = await ctx.step("choose the zones", async ({ key, signal }) => {
    await checkSpawn(provider, { ...options, key });
    const places = await placesOf(
      context,
      { operation: "launch", signal },
      // The pool's zones come first; the claim is the caller's.
      pool === undefined ? options : { ...options, warmVolume: pool },
    );
    const wanted = places.filter(({ zone }) => zones?.includes(zone) ?? true);
    if (zones !== undefined && places.length > 0 && wanted.length === 0) {
      const known = places.map(({ zone }) => zone).join(", ");
      throw refusal("INVALID_SPEC", "launch", `zones: none of ${zones.join(", ")} is among ${known}`);
    }
    return { key, places: wanted.map(({ region, zone, subnetId }) => ({ region, zone, subnetId })) };
  });
  const attempts: { zone: string; outcome: string }[] = [];
  const refusals: ErrorCode[] = [];
  const closed = new Set<string>();
  for (const place of plan.places) {
    if (closed.has(place.region)) continue;
    const outcome = await ctx.step(
      `launch in ${place.zone}`,
      ({ signal }) => launchIn({ context, provider }, { ...options, key: plan.key, signal }, place),
      undoing(context, plan.key),
    );
    const { instanceId, code } = outcome;
    attempts.push({ zone: place.zone, outcome: code ?? "ok" });
    if (instanceId !== null) return { instanceId, region: place.region, zone: place.zone, key: plan.key, attempts };
    refusals.push(code);
    // A quota, or what the account lacks, is the same in all of the region's zones.
    if (outcome.scope === "region" || outcome.scope === "capacity-type") closed.add(place.region);
  }
  throw nowhere(options, attempts, refusals);
}

/** The instance once it runs; or why this zone has none to give. */
async function launchIn(
  { context, provider }: AwsParts,
  options: AWSSpawnOptions,
  place: PlannedPlace,
): Promise<Outcome> {
  const { region, subnetId } = place;
  try {
    const { id } = await provider.spawn({ ...options, region, network: { ...options.network, subnet: subnetId } });
    return await confirmed(context, id, options.signal);
  } catch (error) {
    if (!isProviderError(error) || !mayTryNextPlace(error)) throw error;
    // A quota refuses also the repetition of a launch that another process has got through.
    const { key = "", signal } = options;
    const call = { operation: "launch", signal };
    const made = isProviderError(error, "QUOTA_EXCEEDED") ? await findMadeBefore(context, call, key) : undefined;
    return made === undefined
      ? { instanceId: null, code: error.code, scope: error.scope }
      : await confirmed(context, made.id, signal);
  }
}

/** EC2 may accept a launch and end it a moment later for want of capacity: that is a refusal too. */
function confirmed(context: AwsContext, id: string, signal: AbortSignal | undefined): Promise<Outcome> {
  return afterWrite({ operation: "launch", signal }, `${id} was launched`, () => startedOrEnded(context, id, signal));
}

async function startedOrEnded(context: AwsContext, id: string, signal: AbortSignal | undefined): Promise<Outcome> {
  const until = context.clock.now() + RUNNING_WITHIN_MS;
  for (;;) {
    const instance = await context.lifeCycle().get(id, { signal });
    if (instance?.status === "running") return { instanceId: id, code: null };
    if (instance?.status === "terminated") {
      const reason = instance.statusReason?.code ?? "terminated";
      if (/Insufficient|SpotInstanceTermination/.test(reason)) return { instanceId: null, code: "CAPACITY_ERROR" };
      throw new ProviderError("INVALID_STATE", {
        message: `${id} ended before it ran: ${reason} ${instance.statusReason?.message ?? ""}`.trim(),
        provider: PROVIDER,
        operation: "launch",
        effect: "applied",
      });
    }
    // It has been accepted; one that starts slowly is still one.
    if (context.clock.now() >= until) return { instanceId: id, code: null };
    await context.clock.sleep(LOOK_MS, signal);
  }
}

function undoing(context: AwsContext, key: string): StepOptions<Outcome> {
  return {
    retry: RETRY,
    undo: ({ outcome, result, signal }) => {
      const call = { operation: "terminate", signal };
      return endAll(context, call, [key], { outcome, instanceId: result?.instanceId });
    },
  };
}

function nowhere(
  options: AWSSpawnOptions,
  attempts: readonly { zone: string; outcome: string }[],
  refusals: readonly ErrorCode[],
): ProviderError {
  const tried = attempts.map(({ zone, outcome }) => `${zone}: ${outcome}`).join(", ");
  // One reason everywhere is the reason: a quota does not pass by waiting for capacity.
  const [code = "CAPACITY_ERROR"] = new Set(refusals).size === 1 ? refusals : [];
  return new ProviderError(code, {
    message:
      attempts.length === 0
        ? `no zone sells ${options.spec ?? "such a machine"} with an address left`
        : `no zone takes ${options.spec ?? "the instance"} now (${tried})`,
    provider: PROVIDER,
    operation: "launch",
    effect: "none",
    exhausted: true,
  });
}
