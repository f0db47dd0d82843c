import type { BlockDeviceMapping, Image, RunInstancesCommandInput } from "@aws-sdk/client-ec2";
import { networkPart, type ResolvedNetwork } from "./capabilities/custom-networking.ts";
import { hibernationPart } from "./capabilities/hibernation-part.ts";
import { marketOptions } from "./capabilities/market-options.ts";
import type { AwsContext, Call } from "./context.ts";
import { isBurstable } from "./machine-types.ts";
import { launchTags, type SpawnRequest } from "./request.ts";
import { INSTANCE_DISK, TAGS, type Tag } from "./tags.ts";
import { shutdownPart } from "./terminate-by.ts";

/** Where the instance goes, resolved before the first call that makes something. */
export interface ChosenPlace extends ResolvedNetwork {
  /** Of the subnet, or of the volumes; EC2 chooses one if absent. */
  readonly zone?: string | undefined;
}

/** All that a launch is made of beside the request itself. */
export interface LaunchParts {
  readonly image: Image;
  readonly place: ChosenPlace;
  readonly userData: string | undefined;
  /** The least size of the root disk, GiB; the image's own if absent. */
  readonly rootGib: number | undefined;
}

/**
 * What RunInstances is asked for: the same for the same request, so that EC2 answers a repetition with the instance that
 * it has. Owner and key go along in the call itself, for all that it makes.
 */
export function runRequest(
  context: AwsContext,
  call: Call,
  request: SpawnRequest,
  parts: LaunchParts,
  generation: number,
): RunInstancesCommandInput {
  const { options, instanceType } = request;
  const { image, place, userData } = parts;
  const tags = launchTags(context, request, generation);
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
  { key }: Pick<SpawnRequest, "key">,
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
