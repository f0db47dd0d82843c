import type {
  BlockDeviceMapping,
  CreateFleetCommandOutput,
  DescribeImagesCommandOutput,
  DescribeInstancesCommandOutput,
  DescribeInstanceTypeOfferingsCommandOutput,
  DescribeInstanceTypesCommandOutput,
  DescribeLaunchTemplatesCommandOutput,
  DescribeSecurityGroupsCommandOutput,
  DescribeSnapshotsCommandOutput,
  DescribeSpotInstanceRequestsCommandOutput,
  DescribeSpotPriceHistoryCommandOutput,
  DescribeSubnetsCommandOutput,
  DescribeVolumesCommandOutput,
  Instance,
  IpPermission,
  RunInstancesCommandOutput,
  Tag,
  TerminateInstancesCommandOutput,
  Volume,
} from "@aws-sdk/client-ec2";
import type { GetParameterCommandOutput } from "@aws-sdk/client-ssm";
import type { GetCallerIdentityCommandOutput } from "@aws-sdk/client-sts";

// Of each answer, what a provider goes by. Lists whose order means nothing are sorted; times and addresses only are or are not.

function tags(list: readonly Tag[] | undefined): Readonly<Record<string, string | undefined>> {
  return Object.fromEntries((list ?? []).map(({ Key, Value }) => [Key, Value]).toSorted());
}

function sorted<T>(list: readonly T[], by: (item: T) => string): readonly T[] {
  return list.toSorted((a, b) => (by(a) < by(b) ? -1 : 1));
}

function instance(one: Instance): object {
  return {
    InstanceId: one.InstanceId,
    ImageId: one.ImageId,
    InstanceType: one.InstanceType,
    State: one.State?.Name,
    StateReason: one.StateReason?.Code || undefined,
    AvailabilityZone: one.Placement?.AvailabilityZone,
    SubnetId: one.SubnetId,
    VpcId: one.VpcId,
    SecurityGroups: (one.SecurityGroups ?? []).map(({ GroupId }) => GroupId),
    PublicIpAddress: one.PublicIpAddress !== undefined,
    PrivateIpAddress: one.PrivateIpAddress !== undefined,
    Lifecycle: one.InstanceLifecycle,
    SpotInstanceRequestId: one.SpotInstanceRequestId !== undefined,
    // The SDK makes one up where the request has none.
    ClientToken: one.ClientToken?.startsWith("token-") === true ? one.ClientToken : undefined,
    RootDeviceName: one.RootDeviceName,
    RootDeviceType: one.RootDeviceType,
    Architecture: one.Architecture,
    Devices: sorted(one.BlockDeviceMappings ?? [], deviceOrder).map(({ DeviceName, Ebs }) => ({
      DeviceName,
      DeleteOnTermination: Ebs?.DeleteOnTermination,
    })),
    HttpTokens: one.MetadataOptions?.HttpTokens,
    Hibernation: one.HibernationOptions?.Configured === true,
    Tags: tags(one.Tags),
  };
}

/** The root first, whatever it is called: what is attached later is called as the steps call it. */
function deviceOrder({ DeviceName = "" }: { readonly DeviceName?: string | undefined }): string {
  return /^\/dev\/sd[fg]$/.test(DeviceName) ? DeviceName : "";
}

/** In the order of their names in the test, which is that of their making. */
function instances(list: readonly Instance[]): readonly object[] {
  return sorted(list, ({ Tags: own }) => String(own?.find(({ Key }) => Key === "n")?.Value ?? "")).map(instance);
}

function volume(one: Volume): object {
  return {
    VolumeId: one.VolumeId,
    Size: one.Size,
    State: one.State,
    AvailabilityZone: one.AvailabilityZone,
    VolumeType: one.VolumeType,
    Encrypted: one.Encrypted,
    Attachments: (one.Attachments ?? []).map(({ InstanceId, Device, State }) => ({ InstanceId, Device, State })),
    Tags: tags(one.Tags),
  };
}

function device({ DeviceName, Ebs }: BlockDeviceMapping): object {
  return { DeviceName, VolumeSize: Ebs?.VolumeSize, DeleteOnTermination: Ebs?.DeleteOnTermination };
}

function permission(one: IpPermission): object {
  return {
    IpProtocol: one.IpProtocol,
    FromPort: one.FromPort,
    ToPort: one.ToPort,
    IpRanges: (one.IpRanges ?? []).map(({ CidrIp }) => CidrIp).toSorted(),
    Ipv6Ranges: (one.Ipv6Ranges ?? []).map(({ CidrIpv6 }) => CidrIpv6).toSorted(),
  };
}

function changes(list: TerminateInstancesCommandOutput["TerminatingInstances"]): object {
  return (list ?? []).map(({ InstanceId, PreviousState, CurrentState }) => ({
    InstanceId,
    PreviousState: PreviousState?.Name,
    CurrentState: CurrentState?.Name,
  }));
}

// Each is given the answer of its own command.
function of<T>(read: (answer: T) => unknown): (answer: unknown) => unknown {
  return (answer) => read(answer as T);
}

const nothing = (): object => ({});

/** What is compared, by call. */
export const FIELDS: Readonly<Record<string, (answer: unknown) => unknown>> = {
  RunInstances: of<RunInstancesCommandOutput>(({ Instances = [] }) => ({ Instances: Instances.map(instance) })),
  DescribeInstances: of<DescribeInstancesCommandOutput>(({ Reservations = [], NextToken }) => ({
    Instances: instances(Reservations.flatMap((one) => one.Instances ?? [])),
    HasMore: NextToken !== undefined,
  })),
  TerminateInstances: of<TerminateInstancesCommandOutput>((answer) => changes(answer.TerminatingInstances)),
  StopInstances: of<{ StoppingInstances?: never[] }>((answer) => changes(answer.StoppingInstances)),
  StartInstances: of<{ StartingInstances?: never[] }>((answer) => changes(answer.StartingInstances)),
  ModifyInstanceAttribute: nothing,
  CreateTags: nothing,
  CreateImage: of<{ ImageId?: string }>(({ ImageId }) => ({ ImageId })),
  DescribeImages: of<DescribeImagesCommandOutput>(({ Images = [] }) =>
    Images.map((one) => ({
      ImageId: one.ImageId,
      Name: one.Name,
      State: one.State,
      Architecture: one.Architecture,
      RootDeviceName: one.RootDeviceName,
      Devices: (one.BlockDeviceMappings ?? []).map(device),
      Tags: tags(one.Tags),
    })),
  ),
  DeregisterImage: nothing,
  DescribeSnapshots: of<DescribeSnapshotsCommandOutput>(({ Snapshots = [] }) => ({
    Snapshots: Snapshots.map(({ State, Tags: own }) => ({ State, Tags: tags(own) })),
  })),
  DeleteSnapshot: nothing,
  CreateVolume: of<Volume>(volume),
  DescribeVolumes: of<DescribeVolumesCommandOutput>(({ Volumes = [] }) => Volumes.map(volume)),
  AttachVolume: of<{ State?: string; Device?: string }>(({ State, Device }) => ({ State, Device })),
  DetachVolume: of<{ State?: string }>(({ State }) => ({ State })),
  DeleteVolume: nothing,
  CreateSecurityGroup: of<{ GroupId?: string }>(({ GroupId }) => ({ GroupId })),
  DescribeSecurityGroups: of<DescribeSecurityGroupsCommandOutput>(({ SecurityGroups = [] }) =>
    sorted(SecurityGroups, ({ GroupName = "" }) => GroupName).map((one) => ({
      GroupId: one.GroupId,
      GroupName: one.GroupName,
      VpcId: one.VpcId,
      Inbound: sorted((one.IpPermissions ?? []).map(permission), (item) => JSON.stringify(item)),
      Outbound: (one.IpPermissionsEgress ?? []).map(permission),
      Tags: tags(one.Tags),
    })),
  ),
  AuthorizeSecurityGroupIngress: nothing,
  RevokeSecurityGroupIngress: nothing,
  DeleteSecurityGroup: nothing,
  CreateLaunchTemplate: of<{ LaunchTemplate?: { LaunchTemplateName?: string } }>(({ LaunchTemplate }) => ({
    LaunchTemplateName: LaunchTemplate?.LaunchTemplateName,
  })),
  DescribeLaunchTemplates: of<DescribeLaunchTemplatesCommandOutput>(({ LaunchTemplates = [] }) =>
    LaunchTemplates.map(({ LaunchTemplateName, LatestVersionNumber }) => ({ LaunchTemplateName, LatestVersionNumber })),
  ),
  DeleteLaunchTemplate: nothing,
  CreateFleet: of<CreateFleetCommandOutput>(({ Instances = [], Errors = [] }) => ({
    Instances: Instances.map(({ InstanceType, Lifecycle, InstanceIds = [], AvailabilityZone }) => ({
      InstanceType,
      Lifecycle,
      Count: InstanceIds.length,
      AvailabilityZone,
    })),
    Errors: Errors.map(({ ErrorCode }) => ErrorCode),
  })),
  DescribeSpotInstanceRequests: of<DescribeSpotInstanceRequestsCommandOutput>(({ SpotInstanceRequests = [] }) =>
    SpotInstanceRequests.map(({ State, Status, InstanceId, Type }) => ({
      State,
      Status: Status?.Code,
      InstanceId,
      Type,
    })),
  ),
  CancelSpotInstanceRequests: nothing,
  DescribeSpotPriceHistory: of<DescribeSpotPriceHistoryCommandOutput>(({ SpotPriceHistory = [] }) => ({
    Places: SpotPriceHistory.map((one) => `${one.AvailabilityZone} ${one.InstanceType}`).toSorted(),
    Price: SpotPriceHistory[0]?.SpotPrice,
    IsCurrent: SpotPriceHistory.every(({ Timestamp }) => (Timestamp?.getFullYear() ?? 0) >= 2025),
  })),
  DescribeAvailabilityZones: of<{ AvailabilityZones?: { ZoneName?: string; State?: string }[] }>(
    ({ AvailabilityZones = [] }) => AvailabilityZones.map(({ ZoneName, State }) => ({ ZoneName, State })),
  ),
  DescribeRegions: of<{ Regions?: { RegionName?: string }[] }>(({ Regions = [] }) =>
    Regions.map(({ RegionName }) => RegionName).toSorted(),
  ),
  DescribeInstanceTypes: of<DescribeInstanceTypesCommandOutput>(({ InstanceTypes = [] }) =>
    sorted(InstanceTypes, ({ InstanceType = "" }) => InstanceType).map((one) => ({
      InstanceType: one.InstanceType,
      VCpus: one.VCpuInfo?.DefaultVCpus,
      Memory: one.MemoryInfo?.SizeInMiB,
      Hibernation: one.HibernationSupported,
      Architecture: one.ProcessorInfo?.SupportedArchitectures,
      Gpus: (one.GpuInfo?.Gpus ?? []).map(({ Name, Count }) => ({ Name, Count })),
    })),
  ),
  DescribeInstanceTypeOfferings: of<DescribeInstanceTypeOfferingsCommandOutput>(({ InstanceTypeOfferings = [] }) =>
    InstanceTypeOfferings.map(({ InstanceType, Location }) => `${InstanceType} ${Location}`).toSorted(),
  ),
  DescribeSubnets: of<DescribeSubnetsCommandOutput>(({ Subnets = [] }) =>
    sorted(Subnets, ({ AvailabilityZone = "" }) => AvailabilityZone).map((one) => ({
      SubnetId: one.SubnetId,
      VpcId: one.VpcId,
      DefaultForAz: one.DefaultForAz,
      State: one.State,
      AvailableIpAddressCount: one.AvailableIpAddressCount,
      MapPublicIpOnLaunch: one.MapPublicIpOnLaunch,
    })),
  ),
  DescribeVpcs: of<{ Vpcs?: { VpcId?: string; IsDefault?: boolean; CidrBlock?: string }[] }>(({ Vpcs = [] }) =>
    Vpcs.map(({ VpcId, IsDefault, CidrBlock }) => ({ VpcId, IsDefault, CidrBlock })),
  ),
  GetParameter: of<GetParameterCommandOutput>(({ Parameter }) => ({ Value: Parameter?.Value, Type: Parameter?.Type })),
  GetCallerIdentity: of<GetCallerIdentityCommandOutput>(({ Account }) => ({ Account })),
};
