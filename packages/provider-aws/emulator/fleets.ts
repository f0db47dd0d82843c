import { type ActionTable, action, type Call } from "./action.ts";
import { type Problem, Refused, refuse, refuseValue, type XmlFields } from "./answers.ts";
import type { Market } from "./capacity.ts";
import { typeOf } from "./catalogue.ts";
import { type FleetRequest, fleetRequest, type OverrideRequest } from "./fleet-request.ts";
import { tryLaunch } from "./launch.ts";
import { checkedMachine, placeOf } from "./launch-checks.ts";
import { machineOf, reference } from "./launch-templates.ts";
import { spotPriceOf } from "./spot-price.ts";
import { checkSpecifications } from "./tagging.ts";
import type { Instance, LaunchTemplate } from "./things.ts";
import { withToken } from "./tokens.ts";
import { newId } from "./world.ts";

/** One way to fill a fleet: a template and what is different about it. */
interface Pool {
  readonly template: LaunchTemplate;
  readonly override: OverrideRequest;
}

interface Failure {
  readonly pool: Pool;
  readonly market: Market;
  readonly problem: Problem;
}

interface Filled {
  readonly pool: Pool;
  readonly market: Market;
  readonly instances: readonly Instance[];
}

export const fleetActions: ActionTable = { CreateFleet: action(fleetRequest, createFleet) };

function createFleet(call: Call, request: FleetRequest): XmlFields {
  if (request.Type !== "instant") {
    refuse(
      "InvalidParameterValue",
      `Fleets of type '${request.Type ?? "maintain"}' are not emulated; ask for 'instant'.`,
    );
  }
  checkSpecifications(request.TagSpecification, ["fleet", "instance", "volume", "network-interface"]);
  checkMinimum(request);
  const { fleets } = call.region;
  const { ids } = withToken(call, "CreateFleet", request.ClientToken, () => {
    const fleetId = `fleet-${newId(call.world, "f").slice(2)}`;
    fleets.set(fleetId, fill(call, request, fleetId));
    return [fleetId];
  });
  return fleets.get(ids[0] ?? "") ?? {};
}

function checkMinimum({ SpotOptions, OnDemandOptions, TargetCapacitySpecification }: FleetRequest): void {
  if (TargetCapacitySpecification.TotalTargetCapacity < 1) {
    refuseValue(TargetCapacitySpecification.TotalTargetCapacity, "TotalTargetCapacity", "Must be at least 1.");
  }
  for (const options of [SpotOptions, OnDemandOptions]) {
    if (options?.MinTargetCapacity === undefined) continue;
    if (options.SingleInstanceType === true || options.SingleAvailabilityZone === true) continue;
    refuse("InvalidParameterCombination", "MinTargetCapacity needs SingleInstanceType or SingleAvailabilityZone.");
  }
}

/** HTTP says 200 whatever comes of it: what could not be is listed beside what was made. */
function fill(call: Call, request: FleetRequest, fleetId: string): XmlFields {
  const pools = request.LaunchTemplateConfigs.flatMap(({ LaunchTemplateSpecification, Overrides }) => {
    const template = reference(call, LaunchTemplateSpecification);
    return (Overrides ?? [{}]).map((override) => ({ template, override }));
  });
  const { TotalTargetCapacity, OnDemandTargetCapacity, SpotTargetCapacity, DefaultTargetCapacityType } =
    request.TargetCapacitySpecification;
  const isSpot = DefaultTargetCapacityType === "spot";
  const spot = SpotTargetCapacity ?? (isSpot ? TotalTargetCapacity - (OnDemandTargetCapacity ?? 0) : 0);
  const onDemand = OnDemandTargetCapacity ?? TotalTargetCapacity - spot;
  const results = [
    ...take(call, request, "spot", spot, ordered(call, request, pools, "spot")),
    ...take(call, request, "on-demand", onDemand, ordered(call, request, pools, "on-demand")),
  ];
  const made = results.filter((one): one is Filled => "instances" in one);
  const failed = results.filter((one): one is Failure => "problem" in one);
  call.world.changes += 1;
  return { fleetId, errorSet: failed.map(failureFields), fleetInstanceSet: made.map(filledFields) };
}

function ordered(call: Call, request: FleetRequest, pools: readonly Pool[], market: Market): readonly Pool[] {
  const strategy = (market === "spot" ? request.SpotOptions : request.OnDemandOptions)?.AllocationStrategy;
  if (strategy === "prioritized" || strategy === "capacity-optimized-prioritized") {
    return pools.toSorted((a, b) => (a.override.Priority ?? Infinity) - (b.override.Priority ?? Infinity) || 0);
  }
  return pools.toSorted((a, b) => priceOf(call, a, market) - priceOf(call, b, market));
}

function priceOf({ region }: Call, { template, override }: Pool, market: Market): number {
  const type = override.InstanceType ?? machineOf(template).InstanceType ?? "";
  const subnet = region.subnets.find(({ id }) => id === override.SubnetId);
  const zone = override.AvailabilityZone ?? subnet?.zone ?? region.zones[0] ?? "";
  return market === "spot" ? spotPriceOf(region, zone, type) : (typeOf(type)?.usdPerHour ?? Infinity);
}

/** Goes through the pools until the target is met; each that gives nothing says why. */
function take(
  call: Call,
  request: FleetRequest,
  market: Market,
  target: number,
  pools: readonly Pool[],
): (Filled | Failure)[] {
  const results: (Filled | Failure)[] = [];
  let left = target;
  for (const pool of pools) {
    if (left <= 0) break;
    const weight = pool.override.WeightedCapacity ?? 1;
    const result = takeFrom(call, request, market, pool, Math.ceil(left / weight));
    results.push(result);
    if ("instances" in result) left -= result.instances.length * weight;
  }
  return results;
}

function takeFrom(call: Call, request: FleetRequest, market: Market, pool: Pool, count: number): Filled | Failure {
  try {
    const { template, override } = pool;
    const { NetworkInterface, Placement, ...machine } = machineOf(template);
    const { InstanceType = machine.InstanceType, ImageId = machine.ImageId } = override;
    const [first, ...others] = NetworkInterface ?? [];
    const own = request.TagSpecification?.filter(({ ResourceType }) => ResourceType !== "fleet") ?? [];
    const tags = [
      ...own,
      ...(machine.TagSpecification ?? []).filter((one) => !own.some((mine) => mine.ResourceType === one.ResourceType)),
    ];
    const wanted = {
      ...machine,
      InstanceType,
      ImageId,
      TagSpecification: tags.filter(
        ({ ResourceType }) => market === "spot" || ResourceType !== "spot-instances-request",
      ),
      MinCount: 1,
      MaxCount: count,
      ...(market === "spot"
        ? { InstanceMarketOptions: { MarketType: "spot", SpotOptions: { MaxPrice: override.MaxPrice } } }
        : {}),
      ...(first === undefined
        ? { SubnetId: override.SubnetId }
        : { NetworkInterface: [{ ...first, SubnetId: override.SubnetId ?? first.SubnetId }, ...others] }),
      Placement: { ...Placement, AvailabilityZone: override.AvailabilityZone ?? Placement?.AvailabilityZone },
    };
    const place = placeOf(call, wanted);
    const ready = checkedMachine(call, wanted);
    const made = tryLaunch(call, ready, { min: 1, max: count, ...place, clientToken: "", templateId: template.id });
    return "problem" in made ? { pool, market, problem: made.problem } : { pool, market, instances: made.instances };
  } catch (error) {
    if (error instanceof Refused) return { pool, market, problem: error.problem };
    throw error;
  }
}

function poolFields({ template, override }: Pool): XmlFields {
  return {
    launchTemplateSpecification: { launchTemplateId: template.id, launchTemplateName: template.name, version: "1" },
    overrides: {
      instanceType: override.InstanceType,
      subnetId: override.SubnetId,
      availabilityZone: override.AvailabilityZone,
      maxPrice: override.MaxPrice,
      weightedCapacity: override.WeightedCapacity,
      priority: override.Priority,
      imageId: override.ImageId,
    },
  };
}

function failureFields({ pool, market, problem }: Failure): XmlFields {
  return {
    launchTemplateAndOverrides: poolFields(pool),
    lifecycle: market,
    errorCode: problem.code,
    errorMessage: problem.message,
  };
}

function filledFields({ pool, market, instances }: Filled): XmlFields {
  return {
    launchTemplateAndOverrides: poolFields(pool),
    lifecycle: market,
    instanceIds: instances.map(({ id }) => id),
    instanceType: instances[0]?.type,
    availabilityZone: instances[0]?.zone,
    subnetId: instances[0]?.subnetId,
  };
}
