import {
  type ErrorCode,
  type StepOptions,
  type Workflow,
  type WorkflowContext,
  type WorkflowContract,
  workflow,
} from "@slipway/core";
import * as z from "zod/mini";
import { refusal } from "../call.ts";
import type { Call } from "../context.ts";
import {
  deleteTemplate,
  type FleetChoice,
  type FleetOutcome,
  type FleetWish,
  makeTemplate,
  noCapacity,
  outcomeOf,
  requestFleet,
} from "../fleet.ts";
import { composeId } from "../ids.ts";
import { architectureOf } from "../machine-types.ts";
import { placesOf } from "../placements.ts";
import { type AWSSpawnOptions, nextGeneration } from "../request.ts";
import { launchParts } from "../run-request.ts";
import { checkSpawn, type SpawnInput, spawnInput, spawnOptions } from "./input.ts";
import { endAll, findMadeBefore, findReclaimed } from "./instances.ts";
import type { AwsParts } from "./multi-az.ts";

export interface SpotFleetInput {
  /** What each instance is, without spec and place. */
  readonly spawn: SpawnInput;
  /** Machine types of one architecture; ten or more make interruptions rare. */
  readonly specs: readonly string[];
  readonly count: number;
  /** Take on-demand capacity where there is no spot; true if absent. */
  readonly onDemandFallback?: boolean | undefined;
  /** How long interrupted instances are replaced after the launch, milliseconds; 0 if absent. */
  readonly watchMs?: number | undefined;
}

export interface SpotFleetMember {
  readonly instanceId: string;
  readonly key: string;
  readonly spec: string;
  readonly zone: string;
  readonly market: "spot" | "on-demand";
}

export interface SpotFleetOutput {
  readonly members: readonly SpotFleetMember[];
  /** How many were interrupted and replaced. */
  readonly replaced: number;
  /** How many could not be replaced: there was no capacity anywhere, up to the end of the watch. */
  readonly missing: number;
}

// The fleet's own to choose, or what no template of a fleet can say.
const NOT_TAKEN = ["spec", "resources", "gpu", "spot", "hibernation", "volumes", "warmVolume", "maxUsdPerHour"];

const input: z.ZodMiniType<SpotFleetInput> = z.strictObject({
  spawn: spawnInput.check(
    z.refine((options) => !NOT_TAKEN.some((name) => options[name] !== undefined), {
      message: `a fleet takes none of ${NOT_TAKEN.join(", ")}`,
    }),
    z.refine(({ network }) => !z.object({ isolated: z.literal(true) }).safeParse(network).success, {
      message: "a fleet takes no network.isolated",
    }),
  ),
  specs: z.array(z.string().check(z.minLength(1))).check(z.minLength(1), z.maxLength(20)),
  count: z.int().check(z.gte(1), z.lte(100)),
  onDemandFallback: z.optional(z.boolean()),
  watchMs: z.optional(z.int().check(z.nonnegative())),
});

const output: z.ZodMiniType<SpotFleetOutput> = z.object({
  members: z.array(
    z.object({
      instanceId: z.string(),
      key: z.string(),
      spec: z.string(),
      zone: z.string(),
      market: z.enum(["spot", "on-demand"]),
    }),
  ),
  replaced: z.int(),
  missing: z.int(),
});

const RETRY = { attempts: 4, delayMs: 2000 } as const;
const LOOK_MS = 15_000;
/** What the launch of all members takes at the most; past it and the watch, cleanup may delete the template. */
const TO_LAUNCH_MS = 3_600_000;

/** What a journal keeps of the fleet. */
interface Plan {
  readonly region: string;
  readonly template: string;
  /** Until when cleanup leaves the template alone. The same for every process that goes on with the run: EC2 compares. */
  readonly neededUntil: string;
  readonly choices: readonly FleetChoice[];
}

/**
 * So many instances on spot capacity, each in whichever of many places EC2 finds best, on demand where there is none,
 * and replaced for a while if EC2 takes one back. Each member has a key of its own; undone, none is left.
 */
export function spotFleet({ context, provider }: AwsParts): Workflow<SpotFleetInput, SpotFleetOutput> {
  return workflow<SpotFleetInput, SpotFleetOutput>({
    type: "aws.spot-fleet",
    version: 1,
    input,
    output,
    run: async (ctx, { spawn, specs, count, onDemandFallback = true, watchMs = 0 }) => {
      const fleet: Fleet = { ctx, context, provider, options: spawnOptions(spawn), specs, onDemandFallback, watchMs };
      const plan = await planned(fleet);
      await templateStep(fleet, plan);
      const members: SpotFleetMember[] = [];
      for (let number = 1; number <= count; number += 1) {
        const member = await launched(fleet, plan, `member ${number}`);
        if (!("instanceId" in member)) throw noCapacity(plan.choices, member.code);
        members.push(member);
      }
      const { alive, replaced } = await watched(fleet, plan, members);
      await ctx.step("delete the launch template", async ({ signal }) =>
        deleteTemplate(context, { operation: "launch", signal }, plan.region, plan.template),
      );
      return { members: alive, replaced, missing: count - alive.length };
    },
  });
}

export const spotFleetContract: WorkflowContract<SpotFleetInput, SpotFleetOutput> = {
  validateInput: (given) => z.parse(input, given),
  requiredOutputFields: ["members", "replaced", "missing"],
  maxDurationMs: 86_400_000,
};

interface Fleet extends AwsParts {
  readonly ctx: WorkflowContext;
  readonly options: AWSSpawnOptions;
  readonly specs: readonly string[];
  readonly onDemandFallback: boolean;
  readonly watchMs: number;
}

/** The places are chosen once and kept: a run that goes on after a crash sends the same requests. */
function planned({ ctx, context, provider, options, specs, watchMs }: Fleet): Promise<Plan> {
  return ctx.step("plan the fleet", async ({ key, signal }) => {
    const call: Call = { operation: "launch", signal };
    if (new Set(specs.map(architectureOf)).size > 1) {
      throw refusal("INVALID_SPEC", call.operation, "specs are of two architectures, and one image runs on one");
    }
    await checkSpawn(provider, { ...options, key });
    if (options.terminateBy !== undefined) {
      // One template serves both markets, and EC2 takes a shutdown behaviour for on-demand instances alone.
      throw refusal("INVALID_SPEC", call.operation, "terminateBy: a fleet of spot and on-demand instances keeps none", {
        hint: "Leave terminateBy out and give expiresAt, or spawn the instances one by one.",
      });
    }
    const region = options.region ?? context.regions[0];
    const choices: FleetChoice[] = [];
    for (const spec of specs) {
      const places = await placesOf(context, call, { ...options, region, spec, spot: {} });
      choices.push(...places.map(({ zone, subnetId }) => ({ spec, zone, subnetId })));
    }
    const name = process
      .getBuiltinModule("node:crypto")
      .createHash("sha256")
      .update(`${context.owner} ${key}`)
      .digest("hex")
      .slice(0, 20);
    const neededUntil = new Date(context.clock.now() + watchMs + TO_LAUNCH_MS).toISOString();
    return { region, template: `slipway-fleet-${name}`, neededUntil, choices };
  });
}

async function templateStep(
  { ctx, context, options, specs }: Fleet,
  { region, template, neededUntil }: Plan,
): Promise<void> {
  await ctx.step(
    "make the launch template",
    async ({ key, signal }) => {
      const call: Call = { operation: "launch", signal };
      const request = context.lifeCycle().requestOf(call, { ...options, region, key, spec: specs[0] });
      const parts = await launchParts(context, call, request);
      await makeTemplate(context, call, request, parts, { name: template, expiresAt: neededUntil, specs });
    },
    {
      retry: RETRY,
      undo: ({ signal }) => deleteTemplate(context, { operation: "launch", signal }, region, template),
    },
  );
}

/** One member: on spot, else on demand; or why there is none. */
async function launched(
  fleet: Fleet,
  plan: Plan,
  name: string,
): Promise<SpotFleetMember | { readonly code: ErrorCode }> {
  const spot = await memberStep(fleet, plan, `launch ${name}`, "spot");
  if (spot.outcome.code === null) return memberOf(plan, spot, "spot");
  if (!fleet.onDemandFallback) return { code: spot.outcome.code };
  const onDemand = await memberStep(fleet, plan, `launch ${name} on demand`, "on-demand");
  return onDemand.outcome.code === null ? memberOf(plan, onDemand, "on-demand") : { code: onDemand.outcome.code };
}

interface KeyedOutcome {
  readonly key: string;
  readonly outcome: FleetOutcome;
}

function memberOf(
  { region }: Plan,
  { key, outcome }: KeyedOutcome,
  market: SpotFleetMember["market"],
): SpotFleetMember {
  return {
    instanceId: composeId(region, outcome.instanceId ?? ""),
    key,
    spec: outcome.spec ?? "",
    zone: outcome.zone ?? "",
    market,
  };
}

function memberStep(
  { ctx, context, options }: Fleet,
  { region, template, choices }: Plan,
  name: string,
  market: SpotFleetMember["market"],
): Promise<KeyedOutcome> {
  const step: StepOptions<KeyedOutcome> = {
    retry: RETRY,
    undo: ({ key, outcome, result, signal }) => {
      const call = { operation: "terminate", signal };
      const native = result?.outcome.instanceId;
      const instanceId = typeof native === "string" ? composeId(region, native) : native;
      return endAll(context, call, [key], { outcome, instanceId });
    },
  };
  return ctx.step(
    name,
    async ({ key, signal }): Promise<KeyedOutcome> => {
      const call: Call = { operation: "launch", signal };
      const lifeCycle = context.lifeCycle();
      const { network: _chosen, ...each } = options;
      const request = lifeCycle.requestOf(call, { ...each, region, key, spec: choices[0]?.spec });
      const { found, previous } = await lifeCycle.find(call, request);
      if (found !== null) return { key, outcome: outcomeOf(found) };
      if (choices.length === 0) return { key, outcome: NOWHERE };
      const generation = nextGeneration(previous);
      const wanted: FleetWish = {
        template,
        choices,
        market,
        generation,
        findMadeBefore: () => findMadeBefore(context, call, key),
      };
      return { key, outcome: await requestFleet(context, call, request, wanted) };
    },
    step,
  );
}

const NOWHERE: FleetOutcome = { instanceId: null, spec: null, zone: null, code: "CAPACITY_ERROR" satisfies ErrorCode };

/**
 * Looks again and again until the time is over, and replaces whoever EC2 has reclaimed. Where there is no capacity for one it
 * is tried again at the next look: the others go on.
 */
async function watched(
  fleet: Fleet,
  plan: Plan,
  members: readonly SpotFleetMember[],
): Promise<{ readonly alive: readonly SpotFleetMember[]; readonly replaced: number }> {
  const { ctx, context, watchMs } = fleet;
  let alive = members;
  let [replaced, tries, vacant] = [0, 0, 0];
  for (let round = 1; round * LOOK_MS <= watchMs; round += 1) {
    await ctx.sleep(LOOK_MS);
    const ids = alive.map(({ instanceId }) => instanceId);
    const lost = await ctx.step(`look ${round}`, ({ signal }) => findReclaimed(context, ids, signal));
    alive = alive.filter(({ instanceId }) => !lost.includes(instanceId));
    vacant += lost.length;
    for (let left = vacant; left > 0; left -= 1) {
      tries += 1;
      const another = await launched(fleet, plan, `replacement ${tries}`);
      if (!("instanceId" in another)) continue;
      alive = [...alive, another];
      replaced += 1;
      vacant -= 1;
    }
  }
  return { alive, replaced };
}
