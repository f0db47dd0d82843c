import type { Call } from "./action.ts";
import { type Problem, problem, Refused } from "./answers.ts";
import { capacityAnywhere, capacityIn, freeQuota, type Market, type Placed, quotaProblem } from "./capacity.ts";
import { bootTurn } from "./guest-timer.ts";
import type { Machine } from "./launch-checks.ts";
import { createMachine } from "./machines.ts";
import { spotPriceOf } from "./spot-price.ts";
import { tagsFor } from "./tagging.ts";
import type { BlockDevice, Instance, SpotRequest, Subnet, Volume } from "./things.ts";
import { Timeline } from "./timeline.ts";
import { beginEnd, LAUNCH_FAILED, turnInstance } from "./transitions.ts";
import { hex, newId, type World } from "./world.ts";

/** How many, and where: a subnet, a zone, or wherever there is capacity. */
export interface Wanted {
  readonly min: number;
  readonly max: number;
  readonly subnet?: Subnet | undefined;
  readonly zone?: string | undefined;
  readonly clientToken: string;
  readonly templateId: string | null;
}

/** Makes the instances, as many as there is capacity for; refuses where that is fewer than the least. */
export function launch(call: Call, machine: Machine, wanted: Wanted): readonly Instance[] {
  const made = tryLaunch(call, machine, wanted);
  if ("problem" in made) throw new Refused(made.problem);
  return made.instances;
}

export type Launched = { readonly instances: readonly Instance[] } | { readonly problem: Problem };

export function tryLaunch(call: Call, machine: Machine, wanted: Wanted): Launched {
  const { world, region } = call;
  const market: Market = machine.spot ? "spot" : "on-demand";
  const quota = freeQuota(world, region, machine.type, market);
  if (quota < wanted.min) return { problem: quotaProblem(world, region, market) };
  const place = placeFor(call, machine, market, wanted);
  if ("problem" in place) return place;
  const tooLow = machine.spot ? priceProblem(call, machine, place.subnet.zone) : null;
  if (tooLow !== null) return { problem: tooLow };
  const count = Math.min(wanted.max, place.capacity, quota);
  const reservationId = newId(world, "r");
  const instances = Array.from({ length: count }, () => make(call, machine, wanted, place.subnet, reservationId));
  world.changes += 1;
  return { instances };
}

function placeFor(call: Call, { type }: Machine, market: Market, { subnet, zone, min }: Wanted): Placed {
  if (subnet !== undefined) return capacityIn(call, type, market, subnet, min);
  if (zone === undefined) return capacityAnywhere(call, type, market, min);
  const home = call.region.subnets.find((one) => one.isDefault && one.zone === zone);
  const problemHere = problem("InvalidInput", `No default subnet for availability zone: '${zone}'.`);
  return home === undefined ? { problem: problemHere } : capacityIn(call, type, market, home, min);
}

function priceProblem({ region }: Call, { request, type }: Machine, zone: string): Problem | null {
  const given = request.InstanceMarketOptions?.SpotOptions?.MaxPrice;
  const price = spotPriceOf(region, zone, type.name);
  if (given === undefined || Number(given) >= price) return null;
  const message = `Your Spot request price of ${given} is lower than the minimum required Spot request fulfillment price of ${price}.`;
  return problem("SpotMaxPriceTooLow", message);
}

function make(call: Call, machine: Machine, wanted: Wanted, subnet: Subnet, reservationId: string): Instance {
  const { world, region, now } = call;
  const { request, type, image } = machine;
  const id = newId(world, "i");
  const address = world.settings.machines?.newAddress() ?? null;
  const spotRequestId = machine.spot ? addSpotRequest(call, machine, id, subnet.zone) : null;
  const instance: Instance = {
    id,
    reservationId,
    launchedAt: now,
    clientToken: wanted.clientToken,
    imageId: image.id,
    type: type.name,
    architecture: image.architecture,
    zone: subnet.zone,
    vpcId: subnet.vpcId,
    subnetId: subnet.id,
    groupIds: machine.groupIds,
    interfaceId: newId(world, "eni"),
    interfaceTags: tagsFor("network-interface", request.TagSpecification),
    privateIp: privateIp(call, subnet),
    publicIp: wantsPublicIp(machine, subnet) ? (address ?? publicIp(world)) : null,
    rootDeviceName: image.rootDeviceName,
    devices: addVolumes(call, machine, id, subnet.zone),
    userData: request.UserData ?? null,
    keyName: request.KeyName ?? null,
    profile: request.IamInstanceProfile?.Name ?? request.IamInstanceProfile?.Arn ?? null,
    market: machine.spot ? "spot" : "on-demand",
    spotRequestId,
    hibernation: request.HibernationOptions?.Configured === true,
    shutdownBehaviour: request.InstanceInitiatedShutdownBehavior ?? "stop",
    metadata: {
      HttpTokens: "optional",
      HttpPutResponseHopLimit: 1,
      HttpEndpoint: "enabled",
      HttpProtocolIpv6: "disabled",
      InstanceMetadataTags: "disabled",
      ...Object.fromEntries(
        Object.entries(request.MetadataOptions ?? {}).flatMap(([k, v]) => (v === undefined ? [] : [[k, v]])),
      ),
    },
    protected: request.DisableApiTermination === true,
    templateId: wanted.templateId,
    state: "pending",
    reason: null,
    transition: "",
    tags: tagsFor("instance", request.TagSpecification),
  };
  const line = new Timeline<Instance>(now, instance);
  region.instances.set(id, line);
  turnInstance(call, id, bootTurn(call, instance));
  createMachine(world, instance, address).catch(() => failLaunch(call, id));
  return instance;
}

/** A machine that cannot start is an instance that ends, with EC2's reason for it. */
function failLaunch({ world, region }: Call, id: string): void {
  const now = world.clock.now();
  const one = region.instances.get(id)?.at(now);
  if (!one) return;
  const turn = beginEnd({ world, region, now }, one, { reason: LAUNCH_FAILED, takesMs: 0 });
  if (turn.length > 0) turnInstance({ world, region, now }, id, turn);
}

function wantsPublicIp({ request }: Machine, subnet: Subnet): boolean {
  return request.NetworkInterface?.[0]?.AssociatePublicIpAddress ?? subnet.isDefault;
}

function privateIp({ region }: Call, subnet: Subnet): string {
  // The first addresses of a subnet are AWS's.
  const number = region.instances.size + 10;
  const [first = "", second = "", third = "0"] = subnet.prefix.split(".");
  return `${first}.${second}.${(Number(third) + Math.floor(number / 250)) % 256}.${(number % 250) + 4}`;
}

/** Null where no instance is to be reached. */
function publicIp({ settings, random }: World): string | null {
  const part = (): number => 1 + random.whole(250);
  return settings.isReachable ? `54.${part()}.${part()}.${part()}` : null;
}

function addVolumes(call: Call, machine: Machine, instanceId: string, zone: string): readonly BlockDevice[] {
  const { world, region, now } = call;
  const { request, image } = machine;
  const mappings = request.BlockDeviceMapping ?? [];
  const names = new Set([
    ...image.devices.map(({ device }) => device),
    ...mappings.map(({ DeviceName }) => DeviceName),
  ]);
  return [...names].flatMap((device) => {
    const mapping = mappings.find(({ DeviceName }) => DeviceName === device);
    if (mapping?.NoDevice !== undefined) return [];
    const base = image.devices.find((one) => one.device === device);
    const { Ebs = {} } = mapping ?? {};
    const type = Ebs.VolumeType ?? "gp3";
    const deleteOnTermination = Ebs.DeleteOnTermination ?? base?.deleteOnTermination ?? true;
    const volume: Volume = {
      id: newId(world, "vol"),
      zone,
      sizeGib: Ebs.VolumeSize ?? base?.sizeGib ?? 1,
      type,
      iops: Ebs.Iops ?? (type === "gp3" ? 3_000 : null),
      throughput: Ebs.Throughput ?? (type === "gp3" ? 125 : null),
      encrypted: Ebs.Encrypted ?? base?.encrypted ?? false,
      snapshotId: Ebs.SnapshotId ?? base?.snapshotId ?? null,
      createdAt: now,
      state: "in-use",
      attachment: { instanceId, device, status: "attached", deleteOnTermination, at: now },
      tags: tagsFor("volume", request.TagSpecification),
    };
    region.volumes.set(volume.id, new Timeline<Volume>(now, volume));
    return [{ device, volumeId: volume.id, deleteOnTermination, attachedAt: now }];
  });
}

function addSpotRequest(call: Call, { request, type }: Machine, instanceId: string, zone: string): string {
  const { world, region, now } = call;
  const options = request.InstanceMarketOptions?.SpotOptions;
  const spot: SpotRequest = {
    id: `sir-${hex(world, 8)}`,
    createdAt: now,
    instanceId,
    type: type.name,
    zone,
    persistent: options?.SpotInstanceType === "persistent",
    maxPrice: options?.MaxPrice ?? String(type.usdPerHour),
    state: "active",
    status: { code: "fulfilled", message: "Your Spot request is fulfilled." },
    tags: tagsFor("spot-instances-request", request.TagSpecification),
  };
  region.spotRequests.set(spot.id, new Timeline<SpotRequest>(now, spot));
  return spot.id;
}
