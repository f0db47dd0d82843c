import type { CreateFleetCommandInput, CreateFleetCommandOutput } from "@aws-sdk/client-ec2";
import { type ErrorCode, isProviderError, ProviderError } from "@slipway/core";
import { bootstrapSecrets } from "@slipway/provider-kit/bootstrap";
import { PROVIDER, refusal } from "./call.ts";
import type { AwsContext, Call } from "./context.ts";
import { meaningOf, nativeCodeOf, nullIfRefused } from "./errors.ts";
import type { AWSInstance } from "./instance.ts";
import { type AwsRequest, launchTags } from "./request.ts";
import { creditsOf, type LaunchParts, runRequest } from "./run-request.ts";
import { INSTANCE_DISK, TAGS, tagsOf } from "./tags.ts";
import { type CapacityType, isOfPlace, mayGoElsewhere, reachOf } from "./unavailable.ts";

/** One machine type in one subnet: what a fleet may choose. */
export interface FleetChoice {
  readonly spec: string;
  readonly zone: string;
  readonly subnetId: string;
}

/** What a request for one instance of a fleet came to; without an instance, why. */
export type FleetOutcome =
  | { readonly instanceId: string; readonly spec: string; readonly zone: string; readonly code: null }
  | { readonly instanceId: null; readonly spec: null; readonly zone: null; readonly code: ErrorCode };

// A request of more choices grows too large for EC2.
const MOST_CHOICES = 60;

/**
 * The template of a fleet's instances: all that a fleet's request itself cannot say. The same name gives the same one.
 * `expiresAt`: until then cleanup leaves it alone.
 */
export async function makeTemplate(
  context: AwsContext,
  call: Call,
  request: AwsRequest,
  parts: LaunchParts,
  { name, expiresAt, specs }: { readonly name: string; readonly expiresAt: string; readonly specs: readonly string[] },
): Promise<void> {
  const { ImageId, UserData, BlockDeviceMappings, MetadataOptions, SecurityGroupIds, IamInstanceProfile } = runRequest(
    context,
    call,
    request,
    parts,
    0,
  );
  const machine = { ImageId, UserData, BlockDeviceMappings, MetadataOptions, SecurityGroupIds, IamInstanceProfile };
  const data = { ...machine, ...creditsOf(context, specs) };
  const tags = [
    ...tagsOf(context.owner, null),
    { Key: TAGS.role, Value: "fleet" },
    { Key: TAGS.expiresAt, Value: expiresAt },
  ];
  const input = {
    LaunchTemplateName: name,
    ClientToken: process.getBuiltinModule("node:crypto").createHash("sha256").update(name).digest("hex"),
    LaunchTemplateData: data,
    TagSpecifications: [{ ResourceType: "launch-template" as const, Tags: tags }],
  };
  const secrets = bootstrapSecrets(request.script, UserData);
  await nullIfRefused(/^InvalidLaunchTemplateName\.AlreadyExistsException$/, () =>
    context.client.send(call, request.prepared.region, "CreateLaunchTemplate", input, { secrets }),
  );
}

/** One that is gone already is gone. */
export async function deleteTemplate(context: AwsContext, call: Call, region: string, name: string): Promise<void> {
  await nullIfRefused(/^InvalidLaunchTemplateName\.NotFound/, () =>
    context.client.send(call, region, "DeleteLaunchTemplate", { LaunchTemplateName: name }),
  );
}

/** One instance in any of the places, bought in one way. */
export interface FleetWish {
  readonly template: string;
  readonly choices: readonly FleetChoice[];
  readonly market: CapacityType;
  /** How many instances of the key ended before. */
  readonly generation: number;
  /** Asked where a quota refuses the whole request: what an earlier one of the key has made. */
  readonly findMadeBefore: () => Promise<AWSInstance | undefined>;
}

/**
 * Asks once, in one request, for one instance in any of these places. EC2 answers with success also where it made
 * nothing: what it tells of each place it tried is remembered.
 */
export async function requestFleet(
  context: AwsContext,
  call: Call,
  request: AwsRequest,
  wanted: FleetWish,
): Promise<FleetOutcome> {
  const input = fleetRequest(context, request, wanted);
  let answer: CreateFleetCommandOutput;
  try {
    answer = await onceTemplateIsSeen(context, call, () =>
      context.client.send(call, request.prepared.region, "CreateFleet", input),
    );
  } catch (error) {
    // Mostly EC2 answers with success and tells what it refused, and sometimes it refuses the request for the same.
    if (!isProviderError(error) || !mayGoElsewhere(error)) throw error;
    const made = isProviderError(error, "QUOTA_EXCEEDED") ? await wanted.findMadeBefore() : undefined;
    if (made !== undefined) return outcomeOf(made);
    return { instanceId: null, spec: null, zone: null, code: error.code };
  }
  rememberRefusals(context, request, wanted.choices, answer);
  const [made] = answer.Instances ?? [];
  const [nativeId] = made?.InstanceIds ?? [];
  if (made === undefined || nativeId === undefined)
    return { instanceId: null, spec: null, zone: null, code: kindOf(call, answer) };
  const overrides = made.LaunchTemplateAndOverrides?.Overrides;
  const chosen = wanted.choices.find(({ subnetId }) => subnetId === overrides?.SubnetId);
  return {
    instanceId: nativeId,
    spec: made.InstanceType ?? overrides?.InstanceType ?? "",
    zone: overrides?.AvailabilityZone ?? chosen?.zone ?? "",
    code: null,
  };
}

export function outcomeOf({ nativeId, spec = "", zone = "" }: AWSInstance): FleetOutcome {
  return { instanceId: nativeId, spec, zone, code: null };
}

const NO_TEMPLATE = /^InvalidLaunchTemplate(Name\.NotFoundException|Id\.NotFound)/;
const LOOK_AGAIN_MS = 2_000;

/** A template that was just made may not be known yet, and then EC2 makes nothing: as long as reads may lag it is asked again. */
async function onceTemplateIsSeen(
  context: AwsContext,
  call: Call,
  ask: () => Promise<CreateFleetCommandOutput>,
): Promise<CreateFleetCommandOutput> {
  const until = context.clock.now() + context.readAfterWriteMs;
  const isUnseen = (code: string): boolean => NO_TEMPLATE.test(code) && context.clock.now() < until;
  for (;;) {
    try {
      const answer = await ask();
      const { Instances = [], Errors = [] } = answer;
      const isRefused = Errors.length > 0 && Errors.every(({ ErrorCode = "" }) => isUnseen(ErrorCode));
      if (Instances.length > 0 || !isRefused) return answer;
    } catch (error) {
      if (!isUnseen(nativeCodeOf(error))) throw error;
    }
    await context.clock.sleep(LOOK_AGAIN_MS, call.signal);
  }
}

function fleetRequest(
  context: AwsContext,
  request: AwsRequest,
  { template, choices, market, generation }: FleetWish,
): CreateFleetCommandInput {
  const token = JSON.stringify([
    "fleet",
    context.owner,
    request.key,
    market,
    ...(generation === 0 ? [] : [generation]),
  ]);
  const tags = [...launchTags(request, generation)];
  const disk = { Key: TAGS.role, Value: INSTANCE_DISK };
  const overrides = choices.slice(0, MOST_CHOICES).map(({ spec, subnetId }, place) => ({
    InstanceType: spec as "t3.micro", // any name: the SDK lists only those that it knew when it was built
    SubnetId: subnetId,
    // On spot EC2 chooses by price and capacity, and a priority has no meaning.
    ...(market === "on-demand" ? { Priority: place } : {}),
  }));
  return {
    Type: "instant",
    ClientToken: process.getBuiltinModule("node:crypto").createHash("sha256").update(token).digest("hex"),
    LaunchTemplateConfigs: [
      { LaunchTemplateSpecification: { LaunchTemplateName: template, Version: "$Latest" }, Overrides: overrides },
    ],
    TargetCapacitySpecification: { TotalTargetCapacity: 1, DefaultTargetCapacityType: market },
    ...(market === "spot"
      ? { SpotOptions: { AllocationStrategy: "price-capacity-optimized", InstanceInterruptionBehavior: "terminate" } }
      : { OnDemandOptions: { AllocationStrategy: "prioritized" } }),
    TagSpecifications: [
      { ResourceType: "instance", Tags: tags },
      { ResourceType: "network-interface", Tags: tags },
      { ResourceType: "volume", Tags: [...tags.filter(({ Key }) => Key !== TAGS.generation), disk] },
    ],
  };
}

function rememberRefusals(
  context: AwsContext,
  { prepared: { region } }: AwsRequest,
  choices: readonly FleetChoice[],
  { Errors = [] }: CreateFleetCommandOutput,
): void {
  for (const { ErrorCode: code = "", ErrorMessage: message = "", Lifecycle, LaunchTemplateAndOverrides } of Errors) {
    const { InstanceType: type, SubnetId: subnet } = LaunchTemplateAndOverrides?.Overrides ?? {};
    const meaning = meaningOf(code, message, 400, "spawn");
    if (type === undefined || subnet === undefined || meaning === undefined) continue;
    const zone = choices.find(({ subnetId }) => subnetId === subnet)?.zone;
    const capacityType = Lifecycle === "spot" ? "spot" : "on-demand";
    const offering = { capacityType, type, region, zone, subnet } as const;
    const reach = reachOf(meaning, offering);
    if (reach !== null) context.unavailable.note(...reach);
  }
}

/** What a fleet without an instance means: one thing where all its refusals say it, else that there is no capacity. */
function kindOf({ operation }: Call, { Errors = [] }: CreateFleetCommandOutput): ErrorCode {
  const meanings = Errors.map(({ ErrorCode: code = "", ErrorMessage: message = "" }) =>
    meaningOf(code, message, 400, "spawn"),
  );
  const kinds = new Set(meanings.map((meaning) => meaning?.code));
  const [only = "CAPACITY_ERROR"] = kinds;
  if (kinds.size !== 1) return "CAPACITY_ERROR";
  // What is about the place, or the way of buying, may be had elsewhere: also the role that only spot needs.
  const isElsewhere = meanings.every((meaning) => meaning !== undefined && isOfPlace(meaning));
  if (isElsewhere || only === "CAPACITY_ERROR" || only === "QUOTA_EXCEEDED") return only;
  const [first] = Errors;
  throw refusal(
    only,
    operation,
    `EC2 refused the fleet: ${first?.ErrorCode ?? ""} ${first?.ErrorMessage ?? ""}`.trim(),
    {
      native: first?.ErrorCode === undefined ? undefined : { code: first.ErrorCode },
    },
  );
}

/** No choice was left. */
export function noCapacity(tried: readonly FleetChoice[], code: ErrorCode): ProviderError {
  const where = [...new Set(tried.map(({ spec, zone }) => `${spec} in ${zone}`))].slice(0, 10).join(", ");
  return new ProviderError(code, {
    message:
      where === ""
        ? "no zone sells these machine types"
        : `${code === "CAPACITY_ERROR" ? "there is no capacity for" : "EC2 refuses"} ${where}`,
    provider: PROVIDER,
    operation: "launch",
    effect: "none",
    exhausted: true,
  });
}
