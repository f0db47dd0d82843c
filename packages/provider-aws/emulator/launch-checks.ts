import type { Call } from "./action.ts";
import { refuse, refuseValue } from "./answers.ts";
import { EMULATED_IMAGES, type EmulatedType, typeOf } from "./catalogue.ts";
import type { LaunchRequest, MachineRequest } from "./launch-request.ts";
import { checkSpecifications } from "./tagging.ts";
import type { Image, Subnet } from "./things.ts";

const USER_DATA_MAX = 16_384;
const TOKEN_MAX = 64;
const RESOLVE = "resolve:ssm:";

/** What a launch names, found; nothing of it depends on capacity. */
export interface Machine {
  readonly request: MachineRequest;
  readonly type: EmulatedType;
  readonly image: Image;
  readonly spot: boolean;
  readonly groupIds: readonly string[];
}

/** A launch that could be, or EC2's refusal of what it names. */
export function checkedMachine(call: Call, request: MachineRequest): Machine {
  checkUserData(request.UserData);
  const image = imageFor(call, request.ImageId);
  const type = typeFor(request.InstanceType);
  if (type.architecture !== image.architecture) {
    refuse(
      "InvalidParameterValue",
      `The architecture '${type.architecture}' of the specified instance type does not match the architecture '${image.architecture}' of the specified AMI. Specify an instance type and an AMI that have matching architectures, and try again.`,
    );
  }
  if (request.CreditSpecification !== undefined && !/^t\d/.test(type.name)) {
    refuse(
      "InstanceCreditSpecification.NotSupported",
      `The instance type '${type.name}' does not use CPU credits: only burstable performance instances do.`,
    );
  }
  const spot = request.InstanceMarketOptions?.MarketType === "spot";
  checkTags(request, spot);
  checkKey(request.KeyName);
  checkDevices(request, image, type);
  const machine = { request, type, image, spot, groupIds: groupsFor(call, request) };
  return machine;
}

/** Rules of the request itself, before anything is looked up. */
export function checkCounts({ MinCount, MaxCount, ClientToken }: LaunchRequest): void {
  if (MinCount < 1) refuseValue(MinCount, "minCount", "Must be at least 1.");
  if (MaxCount < MinCount) refuseValue(MaxCount, "maxCount", "Must not be less than minCount.");
  if (ClientToken !== undefined && (ClientToken.length > TOKEN_MAX || !/^[\x20-\x7e]*$/.test(ClientToken))) {
    refuseValue(ClientToken, "clientToken", `Must be at most ${TOKEN_MAX} ASCII characters.`);
  }
}

function checkUserData(userData: string | undefined): void {
  if (userData === undefined) return;
  if (!/^[A-Za-z0-9+/]*={0,2}$/.test(userData) || userData.length % 4 !== 0) {
    refuse("InvalidUserData.Malformed", "Invalid BASE64 encoding of user data.");
  }
  if (Buffer.from(userData, "base64").length > USER_DATA_MAX) {
    refuse("InvalidUserData.Malformed", `User data is limited to ${USER_DATA_MAX} bytes`);
  }
}

function imageFor({ region, now }: Call, given: string | undefined): Image {
  if (given === undefined) return refuse("MissingParameter", "The request must contain the parameter ImageId");
  const named = given.startsWith(RESOLVE)
    ? EMULATED_IMAGES.find(({ parameters }) => parameters.includes(given.slice(RESOLVE.length)))?.id
    : given;
  if (named === undefined) return refuse("InvalidParameterValue", `The parameter of ${given} was not found`);
  if (!/^ami-[0-9a-f]{8}([0-9a-f]{9})?$/.test(named)) refuse("InvalidAMIID.Malformed", `Invalid id: "${named}"`);
  const image = region.images.get(named)?.at(now);
  if (image === null || image === undefined) {
    return refuse("InvalidAMIID.NotFound", `The image id '[${named}]' does not exist`);
  }
  if (image.state !== "available") refuse("InvalidAMIID.Unavailable", `The image ID '${named}' is not available`);
  return image;
}

function typeFor(name: string | undefined): EmulatedType {
  if (name === undefined) return refuse("MissingParameter", "The request must contain the parameter InstanceType");
  return typeOf(name) ?? refuse("InvalidParameterValue", `Invalid value '${name}' for InstanceType.`);
}

function checkTags({ TagSpecification }: MachineRequest, spot: boolean): void {
  if (!spot && TagSpecification?.some(({ ResourceType }) => ResourceType === "spot-instances-request") === true) {
    refuse(
      "InvalidParameterValue",
      "You cannot specify tags for Spot instances requests if there are no Spot instances requests being created by the request.",
    );
  }
  checkSpecifications(TagSpecification, ["instance", "volume", "network-interface", "spot-instances-request"]);
}

/** The account has no key pairs: keys come by user data. */
function checkKey(name: string | undefined): void {
  if (name !== undefined) refuse("InvalidKeyPair.NotFound", `The key pair '${name}' does not exist`);
}

function checkDevices(
  { BlockDeviceMapping = [], HibernationOptions }: MachineRequest,
  image: Image,
  type: EmulatedType,
): void {
  const names = BlockDeviceMapping.map(({ DeviceName }) => DeviceName);
  if (new Set(names).size !== names.length) {
    refuse("InvalidBlockDeviceMapping", "A device name may be mapped once only");
  }
  for (const { DeviceName, Ebs } of BlockDeviceMapping) {
    const base = image.devices.find(({ device }) => device === DeviceName);
    if (Ebs?.VolumeSize === undefined && base === undefined && Ebs?.SnapshotId === undefined) {
      refuse("MissingParameter", "The request must contain the parameter size or snapshotId");
    }
    if (base !== undefined && Ebs?.VolumeSize !== undefined && Ebs.VolumeSize < base.sizeGib) {
      refuse(
        "InvalidBlockDeviceMapping",
        `Volume of size ${Ebs.VolumeSize}GB is smaller than snapshot '${base.snapshotId}', expect size >= ${base.sizeGib}GB`,
      );
    }
    const needsIops = Ebs?.VolumeType === "io1" || Ebs?.VolumeType === "io2";
    if (needsIops && Ebs.Iops === undefined) {
      refuse("InvalidParameterDependency", `The parameter iops must be specified for ${Ebs.VolumeType} volumes.`);
    }
  }
  if (HibernationOptions?.Configured !== true) return;
  const root = BlockDeviceMapping.find(({ DeviceName }) => DeviceName === image.rootDeviceName)?.Ebs;
  const rootImage = image.devices.find(({ device }) => device === image.rootDeviceName);
  if (!type.hibernation || type.bareMetal === true) {
    refuse("UnsupportedHibernationConfiguration", `Hibernation is not supported for the instance type ${type.name}.`);
  }
  if ((root?.Encrypted ?? rootImage?.encrypted) !== true) {
    refuse("UnsupportedHibernationConfiguration", "The root volume must be encrypted to enable hibernation.");
  }
  if ((root?.VolumeSize ?? rootImage?.sizeGib ?? 0) * 1024 < type.memoryMib) {
    refuse("UnsupportedHibernationConfiguration", "The root volume is too small to hold the memory of the instance.");
  }
}

function groupsFor({ region, now }: Call, request: MachineRequest): readonly string[] {
  const { NetworkInterface, SecurityGroupId, SecurityGroup } = request;
  const named = NetworkInterface?.[0]?.SecurityGroupId ?? SecurityGroupId;
  for (const id of named ?? []) {
    if (region.groups.get(id)?.at(now)) continue;
    if (!/^sg-[0-9a-f]{8,17}$/.test(id)) refuse("InvalidGroupId.Malformed", `Invalid id: "${id}" (expecting "sg-...")`);
    refuse("InvalidGroup.NotFound", `The security group '${id}' does not exist`);
  }
  if (named !== undefined && named.length > 0) return named;
  return (SecurityGroup ?? ["default"]).map((name) => {
    const found = [...region.groups.values()].map((group) => group.at(now)).find((group) => group?.name === name);
    return found?.id ?? refuse("InvalidGroup.NotFound", `The security group '${name}' does not exist in default VPC`);
  });
}

/** Where the request wants it: a subnet, or a zone, or neither. */
export function placeOf({ region }: Call, request: LaunchRequest): { subnet?: Subnet; zone?: string } {
  const { SubnetId, SecurityGroupId, NetworkInterface, Placement } = request;
  if (NetworkInterface !== undefined && (SubnetId !== undefined || SecurityGroupId !== undefined)) {
    refuse(
      "InvalidParameterCombination",
      `Network interfaces and an instance-level ${SubnetId === undefined ? "security groups" : "subnet ID"} may not be specified on the same request`,
    );
  }
  const zone = Placement?.AvailabilityZone;
  if (zone !== undefined && !region.zones.includes(zone)) {
    refuse("InvalidParameterValue", `Invalid availability zone: [${zone}]`);
  }
  const subnetId = SubnetId ?? NetworkInterface?.[0]?.SubnetId;
  if (subnetId === undefined) return zone === undefined ? {} : { zone };
  if (!/^subnet-[0-9a-f]{8,17}$/.test(subnetId)) refuse("InvalidSubnetID.Malformed", `Invalid id: "${subnetId}"`);
  const subnet = region.subnets.find(({ id }) => id === subnetId);
  if (subnet === undefined) return refuse("InvalidSubnetID.NotFound", `The subnet ID '${subnetId}' does not exist`);
  if (zone !== undefined && zone !== subnet.zone) {
    refuseValue(zone, "availabilityZone", `It does not match the zone of the subnet ${subnetId}.`);
  }
  return { subnet, zone: subnet.zone };
}
