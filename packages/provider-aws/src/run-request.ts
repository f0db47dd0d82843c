import type { BlockDeviceMapping, Image, RunInstancesCommandInput } from "@aws-sdk/client-ec2";
import { refusal } from "./call.ts";
import { mountsOf } from "./capabilities/attach.ts";
import { networkPart } from "./capabilities/custom-networking.ts";
import { checkHibernation, hibernationPart, hibernationRootGib } from "./capabilities/hibernation-part.ts";
import { marketOptions } from "./capabilities/market-options.ts";
import { besideTheMachine, onDemandPrice } from "./capabilities/prices.ts";
import type { AwsContext, Call } from "./context.ts";
import { imageFor } from "./images.ts";
import { isBurstable, machineType } from "./machine-types.ts";
import { type ChosenPlace, placeFor } from "./place.ts";
import { type AwsRequest, launchTags } from "./request.ts";
import { INSTANCE_DISK, TAGS, type Tag } from "./tags.ts";
import { checkTerminateBy, shutdownPart } from "./terminate-by.ts";

/** All that a launch is made of beside the request itself. */
export interface LaunchParts {
  readonly image: Image;
  readonly place: ChosenPlace;
  readonly userData: string | undefined;
  /** The least size of the root disk, GiB; the image's own if absent. */
  readonly rootGib: number | undefined;
}

/** All that has to be known before the launch; nothing is made here but a security group that many share. */
export async function launchParts(context: AwsContext, call: Call, request: AwsRequest): Promise<LaunchParts> {
  const { options, prepared } = request;
  const { region, instanceType, userData } = prepared;
  const image = await imageFor(context, call, request);
  checkTerminateBy(call.operation, options, image);
  const mounts = await mountsOf(context, call, region, options.volumes ?? []);
  const imageGib = image.BlockDeviceMappings?.find(({ DeviceName }) => DeviceName === image.RootDeviceName)?.Ebs
    ?.VolumeSize;
  const asked = options.resources?.diskBytes;
  let rootGib = asked === undefined ? undefined : Math.ceil(asked / 1024 ** 3);
  if (options.hibernation === true) {
    const type = await machineType(context, call, region, instanceType);
    checkHibernation(call.operation, { type, rootDeviceType: image.RootDeviceType, spot: options.spot !== undefined });
    rootGib = Math.max(rootGib ?? 0, hibernationRootGib(imageGib ?? 8, type.MemoryInfo?.SizeInMiB ?? 0));
  }
  await checkPrice(context, call, request, Math.max(rootGib ?? 0, imageGib ?? 8));
  // Last, since it may make a security group.
  const place = await placeFor(context, call, request, mounts[0]?.zone);
  return { image, place, userData, rootGib };
}

/** What a cap is checked against is all that the instance costs an hour: the machine, its public address, its disk. */
async function checkPrice(
  context: AwsContext,
  call: Call,
  { options, prepared: { region, instanceType } }: AwsRequest,
  diskGib: number,
): Promise<void> {
  const { maxUsdPerHour } = options;
  if (maxUsdPerHour === undefined || options.spot !== undefined) return;
  const price = await onDemandPrice(context, call, region, instanceType);
  if (price === undefined) {
    throw refusal(
      "INVALID_SPEC",
      call.operation,
      `AWS lists no price of ${instanceType} in ${region}: maxUsdPerHour cannot be checked`,
      { hint: "Leave maxUsdPerHour out, or name a machine type that slipway prices aws lists." },
    );
  }
  const beside = besideTheMachine({ publicAddress: options.network?.isolated !== true, diskGib });
  const total = price.usdPerHour + beside;
  if (total <= maxUsdPerHour) return;
  throw refusal(
    "INVALID_SPEC",
    call.operation,
    `${instanceType} costs ${usd(total)} USD an hour in ${region}, above maxUsdPerHour ${maxUsdPerHour}: ` +
      `${usd(price.usdPerHour)} for the machine, ${usd(beside)} for its disk of ${diskGib} GiB and a public address`,
  );
}

const usd = (amount: number): string => String(Number(amount.toFixed(5)));

/**
 * What RunInstances is asked for: the same for the same request, so that EC2 answers a repetition with the instance that
 * it has. Owner and key go along in the call itself, for all that it makes.
 */
export function runRequest(
  context: AwsContext,
  call: Call,
  request: AwsRequest,
  parts: LaunchParts,
  generation: number,
): RunInstancesCommandInput {
  const { options, prepared } = request;
  const { instanceType } = prepared;
  const { image, place, userData } = parts;
  const tags = launchTags(request, generation);
  const byZone = place.subnetId === undefined && place.zone !== undefined;
  return {
    MinCount: 1,
    MaxCount: 1,
    ClientToken: clientToken(context.owner, request, place, generation),
    ImageId: image.ImageId,
    InstanceType: instanceType as NonNullable<RunInstancesCommandInput["InstanceType"]>,
    ...networkPart(place),
    ...(byZone ? { Placement: { AvailabilityZone: place.zone } } : {}),
    BlockDeviceMappings: disksOf(image, parts.rootGib),
    ...creditsOf(context, [instanceType]),
    // Without a session's token nobody reads an instance's credentials; two hops, so that containers can.
    MetadataOptions: { HttpTokens: "required", HttpEndpoint: "enabled", HttpPutResponseHopLimit: 2 },
    TagSpecifications: tagged(tags, options.spot !== undefined),
    ...(userData === undefined ? {} : { UserData: userData }),
    ...(context.instanceProfile === undefined ? {} : { IamInstanceProfile: { Name: context.instanceProfile } }),
    ...marketOptions(call.operation, options),
    ...hibernationPart(options.hibernation),
    ...shutdownPart(options),
  };
}

/** EC2 refuses it for a machine type without credits, so that a mixture of types goes without. */
export function creditsOf(
  { cpuCredits }: Pick<AwsContext, "cpuCredits">,
  types: readonly string[],
): Pick<RunInstancesCommandInput, "CreditSpecification"> {
  return types.every(isBurstable) ? { CreditSpecification: { CpuCredits: cpuCredits } } : {};
}

/**
 * The same for every spawn of one key, whatever its spec: EC2 itself then refuses the second of two specs that come at
 * once. Its memory is per zone where the request names one, so the place stands in it.
 */
export function clientToken(
  owner: string,
  { key }: Pick<AwsRequest, "key">,
  { subnetId, zone }: ChosenPlace,
  generation: number,
): string {
  const content = JSON.stringify(["instance", owner, key, subnetId ?? zone ?? "", generation]);
  return process.getBuiltinModule("node:crypto").createHash("sha256").update(content).digest("hex");
}

/** Every disk of the image: encrypted, and gone with the instance. */
function disksOf(image: Image, rootGib: number | undefined): BlockDeviceMapping[] {
  if (image.RootDeviceType === "instance-store") return [];
  const root = image.RootDeviceName ?? "/dev/xvda";
  const mapped = (image.BlockDeviceMappings ?? []).filter(({ Ebs }) => Ebs !== undefined);
  const disks = mapped.some(({ DeviceName }) => DeviceName === root) ? mapped : [{ DeviceName: root }, ...mapped];
  return disks.map(({ DeviceName, Ebs }) => {
    const size = DeviceName === root && rootGib !== undefined ? Math.max(rootGib, Ebs?.VolumeSize ?? 0) : undefined;
    return {
      DeviceName: DeviceName ?? root,
      Ebs: {
        Encrypted: true,
        DeleteOnTermination: true,
        VolumeType: "gp3",
        ...(size === undefined ? {} : { VolumeSize: size }),
      },
    };
  });
}

/** EC2 refuses tags for a spot request where there is none. */
function tagged(tags: readonly Tag[], spot: boolean): NonNullable<RunInstancesCommandInput["TagSpecifications"]> {
  const kinds = ["instance", "network-interface", ...(spot ? ["spot-instances-request"] : [])] as const;
  const all = kinds.map((kind) => ({ ResourceType: kind as "instance", Tags: [...tags] }));
  return [...all, { ResourceType: "volume", Tags: [...tags.filter(({ Key }) => Key !== TAGS.generation), DISK] }];
}

// Otherwise it would be taken for a volume that outlives the instance.
const DISK: Tag = { Key: TAGS.role, Value: INSTANCE_DISK };
