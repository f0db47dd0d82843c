import type { XmlFields, XmlValue } from "./answers.ts";
import { tagSet } from "./tagging.ts";
import type { Instance, InstanceState } from "./things.ts";
import type { Region } from "./world.ts";

const STATE_CODES: Readonly<Record<InstanceState, number>> = {
  pending: 0,
  running: 16,
  "shutting-down": 32,
  terminated: 48,
  stopping: 64,
  stopped: 80,
  migrating: 96,
};

export function stateFields(state: InstanceState): XmlFields {
  return { code: STATE_CODES[state], name: state };
}

export function stateCode(state: InstanceState): number {
  return STATE_CODES[state];
}

export function time(ms: number): string {
  return new Date(ms).toISOString();
}

/** Does it have addresses, a network and its volumes still? */
function isThere({ state }: Instance): boolean {
  return state !== "terminated";
}

/** The public address, which is there while it runs. */
export function shownPublicIp({ state, publicIp }: Instance): string | null {
  return state === "running" ? publicIp : null;
}

export function instanceFields(one: Instance, region: Region, account: string, moment: number): XmlFields {
  const there = isThere(one);
  const publicIp = shownPublicIp(one);
  const groupSet = groupsOf(one, region, moment);
  return {
    instanceId: one.id,
    imageId: one.imageId,
    instanceState: stateFields(one.state),
    privateDnsName: there ? dnsName(one.privateIp, "ip", "ec2.internal") : "",
    dnsName: publicIp === null ? "" : dnsName(publicIp, "ec2", "compute-1.amazonaws.com"),
    reason: one.transition,
    keyName: one.keyName,
    amiLaunchIndex: 0,
    productCodes: [],
    instanceType: one.type,
    launchTime: time(one.launchedAt),
    placement: { availabilityZone: one.zone, groupName: "", tenancy: "default" },
    monitoring: { state: "disabled" },
    subnetId: there ? one.subnetId : null,
    vpcId: there ? one.vpcId : null,
    privateIpAddress: there ? one.privateIp : null,
    ipAddress: publicIp,
    sourceDestCheck: there ? true : null,
    groupSet: there ? groupSet : [],
    stateReason: one.reason === null ? null : { code: one.reason.code, message: one.reason.message },
    architecture: one.architecture,
    rootDeviceType: "ebs",
    rootDeviceName: one.rootDeviceName,
    blockDeviceMapping: one.devices.map(({ device, volumeId, deleteOnTermination, attachedAt }) => ({
      deviceName: device,
      ebs: { volumeId, status: "attached", attachTime: time(attachedAt), deleteOnTermination },
    })),
    virtualizationType: "hvm",
    instanceLifecycle: one.market === "spot" ? "spot" : null,
    spotInstanceRequestId: one.spotRequestId,
    clientToken: one.clientToken,
    tagSet: tagSet(one.tags),
    hypervisor: "xen",
    networkInterfaceSet: there ? [interfaceFields(one, groupSet, account, publicIp)] : [],
    iamInstanceProfile: profileFields(one.profile, account),
    ebsOptimized: false,
    enaSupport: true,
    hibernationOptions: { configured: one.hibernation },
    enclaveOptions: { enabled: false },
    metadataOptions: {
      state: "applied",
      httpTokens: one.metadata["HttpTokens"],
      httpPutResponseHopLimit: one.metadata["HttpPutResponseHopLimit"],
      httpEndpoint: one.metadata["HttpEndpoint"],
      httpProtocolIpv6: one.metadata["HttpProtocolIpv6"],
      instanceMetadataTags: one.metadata["InstanceMetadataTags"],
    },
    currentInstanceBootMode: "legacy-bios",
  };
}

function profileFields(profile: string | null, account: string): XmlValue {
  if (profile === null) return null;
  const arn = profile.startsWith("arn:") ? profile : `arn:aws:iam::${account}:instance-profile/${profile}`;
  return { arn, id: "AIPAEMULATEDPROFILE00" };
}

function groupsOf({ groupIds }: Instance, region: Region, moment: number): XmlValue {
  return groupIds.map((groupId) => ({ groupId, groupName: region.groups.get(groupId)?.at(moment)?.name ?? groupId }));
}

function interfaceFields(one: Instance, groupSet: XmlValue, account: string, publicIp: string | null): XmlFields {
  return {
    networkInterfaceId: one.interfaceId,
    subnetId: one.subnetId,
    vpcId: one.vpcId,
    ownerId: account,
    status: "in-use",
    privateIpAddress: one.privateIp,
    sourceDestCheck: true,
    groupSet,
    attachment: {
      attachmentId: `eni-attach-${one.interfaceId.slice("eni-".length)}`,
      deviceIndex: 0,
      status: "attached",
      attachTime: time(one.launchedAt),
      deleteOnTermination: true,
      networkCardIndex: 0,
    },
    association: publicIp === null ? null : { publicIp, ipOwnerId: "amazon" },
    interfaceType: "interface",
  };
}

function dnsName(ip: string, prefix: string, domain: string): string {
  return `${prefix}-${ip.replaceAll(".", "-")}.${domain}`;
}
