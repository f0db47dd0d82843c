import { errors, type Quirk } from "./quirk.ts";

const SHOWN = ["RunInstances", "DescribeInstances"];

/** In the answers that show instances. */
export const SHOWN_INSTANCE_QUIRKS: readonly Quirk[] = [
  {
    id: "address-before-running",
    calls: SHOWN,
    condition: "an instance that is pending in EC2's answer, or was given no public address, has one in moto's",
    field: /^Instances\[\]\.PublicIpAddress$/,
    when: ({ moto }) => moto === true,
    paragraph: "4.1",
  },
  {
    id: "no-default-group",
    calls: SHOWN,
    condition: "no security group is named: EC2 puts the instance into the default one",
    field: /^Instances\[\]\.SecurityGroups$/,
    when: ({ moto }) => Array.isArray(moto) && moto.length === 0,
    paragraph: "new",
  },
  {
    id: "root-is-sda1",
    calls: SHOWN,
    condition: "the image's root device is called otherwise",
    field: /^Instances\[\]\.Devices\[\]\.DeviceName$/,
    when: ({ moto }) => moto === "/dev/sda1",
    paragraph: "4.2 RunInstances",
  },
  {
    id: "mapping-survives",
    calls: SHOWN,
    condition: "a mapping says nothing of DeleteOnTermination",
    field: /^Instances\[\]\.Devices\[\]\.DeleteOnTermination$/,
    when: ({ moto }) => moto === false,
    paragraph: "4.2 RunInstances",
  },
  {
    id: "spot-without-request-id",
    calls: SHOWN,
    condition: "a spot instance",
    field: /^Instances\[\]\.SpotInstanceRequestId$/,
    when: ({ emulator }) => emulator === true,
    paragraph: "4.2 RunInstances",
  },
  {
    id: "ended-keeps-its-network",
    calls: ["DescribeInstances"],
    condition: "an instance that is terminated",
    field: /^Instances\[\]\.(VpcId|SubnetId|PrivateIpAddress|SecurityGroups)$/,
    when: ({ emulator }) =>
      emulator === undefined || emulator === false || (Array.isArray(emulator) && emulator.length === 0),
    paragraph: "new",
  },
];

export const LAUNCH_QUIRKS: readonly Quirk[] = [
  {
    id: "fewest-only",
    calls: ["RunInstances"],
    condition: "MaxCount is above MinCount",
    field: /^Instances$/,
    paragraph: "4.2 RunInstances",
    parts: true,
  },
  {
    id: "token-makes-another",
    calls: ["RunInstances"],
    condition: "a client token comes again",
    field: /^Instances\[\]\.InstanceId$/,
    paragraph: "4.2 RunInstances",
    parts: true,
  },
  {
    id: "token-replay-is-new",
    calls: ["RunInstances"],
    condition: "a client token comes again: what EC2 answers is the older instance as it is by now",
    field: /^Instances\[\]\./,
    when: (_difference, { ClientToken }) => ClientToken !== undefined,
    paragraph: "4.2 RunInstances",
    parts: true,
  },
  {
    id: "token-never-mismatches",
    calls: ["RunInstances"],
    condition: "a client token comes again with other parameters, or after its instance",
    field: /^error$/,
    when: ({ emulator, moto }) =>
      moto === "none" && ["IdempotentParameterMismatch", "IdempotentInstanceTerminated"].includes(String(emulator)),
    paragraph: "4.2 RunInstances",
    parts: true,
  },
  {
    id: "user-data-of-any-size",
    calls: ["RunInstances"],
    condition: "user data of more than 16 384 bytes",
    field: /^error$/,
    when: ({ emulator }, { UserData }) => emulator === "InvalidUserData.Malformed" && String(UserData).length > 16_384,
    paragraph: "4.2 RunInstances",
    parts: true,
  },
  {
    id: "dry-run-looks-at-nothing",
    calls: ["RunInstances"],
    condition: "a dry run names what does not exist",
    field: /^error$/,
    when: ({ moto }) => moto === "DryRunOperation",
    paragraph: "new",
  },
  {
    id: "unknown-type-has-own-code",
    calls: ["RunInstances"],
    condition: "an unknown machine type",
    field: /^error$/,
    when: errors("InvalidParameterValue", "InvalidInstanceType.NotFound"),
    paragraph: "4.1",
  },
];
