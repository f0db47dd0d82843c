import type { Instance as Ec2Instance } from "@aws-sdk/client-ec2";
import type { Instance, InstanceResources, InstanceStatus } from "@slipway/core";
import { positive, present, statusTable } from "@slipway/provider-kit/driver";
import { PROVIDER } from "./call.ts";
import { gpusOf } from "./capabilities/gpu.ts";
import { composeId } from "./ids.ts";
import { labelsOf, ownershipOf, TAGS, tagOf } from "./tags.ts";

export type { Ec2Instance };

/** A disk of an instance. */
export interface AWSAttachedVolume {
  readonly volumeId: string;
  readonly device: string;
  readonly deleteOnTermination: boolean;
}

/** An EC2 instance, with what it shows beyond the contract. */
export interface AWSInstance extends Instance {
  readonly region: string;
  /** EC2's own word for its status. */
  readonly state: string;
  /** `nameFor(owner, key)`, as the tag `Name` has it. */
  readonly remoteName?: string;
  /** The display name that was asked for. */
  readonly name?: string;
  readonly availabilityZone: string | null;
  readonly subnetId: string | null;
  readonly vpcId: string | null;
  readonly imageId: string | null;
  readonly architecture: string | null;
  readonly lifecycle: "on-demand" | "spot" | "scheduled" | "capacity-block";
  readonly spotRequestId: string | null;
  readonly launchTemplateId: string | null;
  readonly rootDevice: string | null;
  readonly volumes: readonly AWSAttachedVolume[];
  readonly securityGroups: readonly { readonly id: string; readonly name: string }[];
  readonly clientToken: string | null;
  readonly hibernationConfigured: boolean;
  /** Of the options that it was spawned with; empty where it has none. */
  readonly specHash: string;
  /** How many instances of its key ended before it. */
  readonly generation: number;
}

const STATES = statusTable({
  pending: "pending",
  running: "running",
  stopping: "stopping",
  stopped: "stopped",
  "shutting-down": "terminating",
  terminated: "terminated",
});

/** EC2's state in the contract's word. It has none for hibernated: that is told by the reason of the stop. */
function statusOf(instance: Ec2Instance): InstanceStatus {
  const status = STATES.statusOf(instance.State?.Name ?? "");
  return status === "stopped" && isHibernated(instance) ? "hibernated" : status;
}

/** It ends or has ended: nobody gets it as the instance of its key any more. */
export function isEnding({ status }: Pick<Instance, "status">): boolean {
  return status === "terminating" || status === "terminated";
}

/**
 * What EC2 tells of an instance, as our type.
 *
 * @example
 * ```ts
 * import { DescribeInstancesCommand, EC2Client } from "@aws-sdk/client-ec2";
 *
 * const { Reservations = [] } = await new EC2Client({ region: "eu-central-1" }).send(new DescribeInstancesCommand({}));
 * for (const { Instances = [] } of Reservations)
 *   for (const one of Instances) console.log(materialize("eu-central-1", one).status);
 * ```
 */
export function materialize(region: string, instance: Ec2Instance): AWSInstance {
  const { Tags } = instance;
  const nativeId = instance.InstanceId ?? "";
  const ownership = ownershipOf(Tags);
  const reason = reasonOf(instance);
  const resources = resourcesOf(instance);
  const zone = instance.Placement?.AvailabilityZone;
  return {
    id: composeId(region, nativeId),
    nativeId,
    provider: PROVIDER,
    status: statusOf(instance),
    state: instance.State?.Name ?? "unknown",
    key: ownership.key,
    owner: ownership.owner,
    ...(reason === undefined ? {} : { statusReason: reason }),
    region,
    ...present({ zone, spec: instance.InstanceType, image: instance.ImageId }),
    ...(resources === undefined ? {} : { resources }),
    addresses: present({
      publicIpv4: instance.PublicIpAddress,
      privateIpv4: instance.PrivateIpAddress,
      ipv6: instance.Ipv6Address,
    }),
    ...(isTold(instance.PublicIpAddress) ? { ssh: { host: instance.PublicIpAddress, port: 22, user: SSH_USER } } : {}),
    isSpot: instance.InstanceLifecycle === "spot",
    labels: labelsOf(Tags),
    createdAt: createdAt(instance),
    ...present({ expiresAt: ownership.expiresAt }),
    ...(ownership.terminateBy === undefined ? {} : { terminateBy: { at: ownership.terminateBy, by: "machine" } }),
    ...present({ name: ownership.name, remoteName: tagOf(Tags, TAGS.remoteName) }),
    availabilityZone: zone ?? null,
    subnetId: instance.SubnetId ?? null,
    vpcId: instance.VpcId ?? null,
    imageId: instance.ImageId ?? null,
    architecture: instance.Architecture ?? null,
    lifecycle: lifecycleOf(instance),
    spotRequestId: instance.SpotInstanceRequestId ?? null,
    launchTemplateId: tagOf(Tags, "aws:ec2launchtemplate:id") ?? null,
    rootDevice: instance.RootDeviceName ?? null,
    volumes: volumesOf(instance),
    securityGroups: (instance.SecurityGroups ?? []).map(({ GroupId, GroupName }) => ({
      id: GroupId ?? "",
      name: GroupName ?? "",
    })),
    clientToken: isTold(instance.ClientToken) ? instance.ClientToken : null,
    hibernationConfigured: instance.HibernationOptions?.Configured === true,
    specHash: ownership.specHash,
    generation: ownership.generation,
  };
}

// Whoever logs in as with Amazon Linux; with another image the caller knows the user that it has.
const SSH_USER = "ec2-user";

function reasonOf({ StateReason, StateTransitionReason }: Ec2Instance): Instance["statusReason"] {
  const { Code = "", Message = "" } = StateReason ?? {};
  const message = Message === "" ? (StateTransitionReason ?? "") : Message;
  // EC2 says "pending" for its own while an instance starts: that is no reason.
  return Code === "" || Code === "pending" ? undefined : { code: Code, message };
}

/** As far as a listing tells: the memory of a machine type stands elsewhere. */
function resourcesOf({ CpuOptions, InstanceType }: Ec2Instance): InstanceResources | undefined {
  const cpus = positive(CpuOptions?.CoreCount, CpuOptions?.ThreadsPerCore);
  const gpus = gpusOf(InstanceType ?? "");
  return cpus === undefined && gpus === undefined ? undefined : present({ cpus, gpus });
}

/** `LaunchTime` is that of the last start; the first network card was attached at the launch, and stays. */
function createdAt({ LaunchTime, NetworkInterfaces = [] }: Ec2Instance): string | null {
  const attached = NetworkInterfaces.find(({ Attachment }) => Attachment?.DeviceIndex === 0)?.Attachment?.AttachTime;
  const times = [LaunchTime, attached].filter((time) => time !== undefined).map((time) => new Date(time).getTime());
  return times.length === 0 ? null : new Date(Math.min(...times)).toISOString();
}

const LIFECYCLES: ReadonlyMap<string, AWSInstance["lifecycle"]> = new Map([
  ["spot", "spot"],
  ["scheduled", "scheduled"],
  ["capacity-block", "capacity-block"],
]);

function lifecycleOf({ InstanceLifecycle }: Ec2Instance): AWSInstance["lifecycle"] {
  return LIFECYCLES.get(InstanceLifecycle ?? "") ?? "on-demand";
}

function volumesOf({ BlockDeviceMappings = [] }: Ec2Instance): readonly AWSAttachedVolume[] {
  return BlockDeviceMappings.flatMap(({ DeviceName, Ebs }) =>
    Ebs?.VolumeId === undefined
      ? []
      : [{ volumeId: Ebs.VolumeId, device: DeviceName ?? "", deleteOnTermination: Ebs.DeleteOnTermination === true }],
  );
}

const isTold = (value: string | undefined): value is string => value !== undefined && value !== "";

/** In the words of the stop itself; it is empty where nobody has stopped the instance. */
function isHibernated(instance: Ec2Instance): boolean {
  return instance.StateReason?.Code === "Client.UserInitiatedHibernate";
}
