import { chance, oneOf, type Pool, type Step, several, some } from "./pool.ts";
import { NO_IMAGE, READS } from "./reads.ts";
import { ZONES } from "./side.ts";

const NO_INSTANCE = "i-0123456789abcdef0";
const NO_VOLUME = "vol-0123456789abcdef0";
const NO_GROUP = "sg-0123456789abcdef0";
const TYPES = ["t3.micro", "m5.large", "c7i.large", "g4dn.xlarge"];

type Draw = (pool: Pool) => Step | null;

function launch(pool: Pool): Step {
  const number = String(pool.fresh()).padStart(3, "0");
  const place = pool.random.whole(4);
  const spot = chance(pool, 0.25);
  const tags = {
    Tags: [
      { Key: "n", Value: number },
      ...(chance(pool, 0.3) ? [{ Key: "Name", Value: oneOf(pool, ["a", "b"]) }] : []),
    ],
  };
  const input = {
    ImageId: chance(pool, 0.03) ? NO_IMAGE : { id: "image" },
    InstanceType: chance(pool, 0.03) ? "t9.none" : oneOf(pool, TYPES),
    MinCount: 1,
    MaxCount: chance(pool, 0.05) ? 3 : 1,
    // A place is always named: where EC2 chooses, each side may choose another.
    ...(place === 0 ? { Placement: { AvailabilityZone: oneOf(pool, ZONES) } } : {}),
    ...(place === 1
      ? { SubnetId: chance(pool, 0.05) ? "subnet-0123456789abcdef0" : { id: `subnet ${oneOf(pool, ZONES)}` } }
      : {}),
    ...(place === 2
      ? {
          NetworkInterfaces: [
            {
              DeviceIndex: 0,
              SubnetId: { id: `subnet ${oneOf(pool, ZONES)}` },
              AssociatePublicIpAddress: chance(pool, 0.5),
            },
          ],
        }
      : {}),
    ...(place === 3 ? { Placement: { AvailabilityZone: "us-east-1a" } } : {}),
    ...(place !== 2 && chance(pool, 0.3)
      ? { SecurityGroupIds: [some(pool, "group", NO_GROUP) ?? { id: "group default" }] }
      : {}),
    ...(chance(pool, 0.2) ? { ClientToken: oneOf(pool, ["token-1", "token-2"]) } : {}),
    ...(chance(pool, 0.2)
      ? {
          UserData: chance(pool, 0.2)
            ? "not base64!"
            : Buffer.from(chance(pool, 0.1) ? "b".repeat(17_000) : "a").toString("base64"),
        }
      : {}),
    ...(spot ? { InstanceMarketOptions: { MarketType: "spot", SpotOptions: { SpotInstanceType: "one-time" } } } : {}),
    ...(chance(pool, 0.3) ? { MetadataOptions: { HttpTokens: "required", HttpEndpoint: "enabled" } } : {}),
    ...(chance(pool, 0.2)
      ? {
          BlockDeviceMappings: [
            { DeviceName: "/dev/xvda", Ebs: { Encrypted: true, VolumeType: "gp3", VolumeSize: 20 } },
          ],
        }
      : {}),
    ...(chance(pool, 0.05) ? { DryRun: true } : {}),
    TagSpecifications: [{ ResourceType: "instance", ...tags }],
  };
  const step = { call: "RunInstances", input };
  if (input.ClientToken !== undefined) pool.again = step;
  return step;
}

function describeInstances(pool: Pool): Step {
  const call = "DescribeInstances";
  const ids = several(pool, "instance");
  const kinds: readonly (() => object)[] = [
    () => (ids.length === 0 ? {} : { InstanceIds: ids }),
    () => (ids.length === 0 ? {} : { InstanceIds: [...ids, ...ids] }),
    () => ({ InstanceIds: [...ids, { id: oneOf(pool, [NO_INSTANCE, "i-nonsense"]) }, { id: "i-0123456789abcdef1" }] }),
    () => ({ Filters: [{ Name: "instance-state-name", Values: [oneOf(pool, ["running", "stopped", "terminated"])] }] }),
    () => ({ Filters: [{ Name: "tag:Name", Values: [oneOf(pool, ["a", "*", "?"])] }] }),
    () => ({ Filters: [{ Name: "tag-key", Values: ["Name"] }], MaxResults: 1_000 }),
    () => ({
      Filters: [
        { Name: oneOf(pool, ["client-token", "instance-lifecycle", "no-such-filter"]), Values: ["spot", "token-1"] },
      ],
    }),
    () => ({ Filters: [{ Name: "instance.group-id", Values: [{ id: "group default" }] }] }),
    () => ({ MaxResults: oneOf(pool, [4, 5]) }),
    () => ({ InstanceIds: [{ id: NO_INSTANCE }], MaxResults: 5 }),
  ];
  return { call, input: oneOf(pool, kinds)() };
}

function onInstances(call: string): Draw {
  return (pool) => {
    const ids = several(pool, "instance");
    const more = chance(pool, 0.1) ? [{ id: NO_INSTANCE }] : [];
    return ids.length + more.length === 0 ? null : { call, input: { InstanceIds: [...ids, ...more] } };
  };
}

function terminate(pool: Pool): Step | null {
  pool.hasEnded = true;
  return onInstances("TerminateInstances")(pool);
}

/** Only before anything has ended: what protection means afterwards is documented nowhere. */
function protect(pool: Pool): Step | null {
  const id = some(pool, "instance", NO_INSTANCE);
  if (id === undefined || pool.hasEnded) return null;
  return { call: "ModifyInstanceAttribute", input: { InstanceId: id, DisableApiTermination: { Value: true } } };
}

function onOne(
  call: string,
  kind: string,
  missing: string,
  input: (id: { readonly id: string }, pool: Pool) => object,
): Draw {
  return (pool) => {
    const id = some(pool, kind, missing);
    return id === undefined ? null : { call, input: input(id, pool) };
  };
}

function attach(pool: Pool): Step | null {
  const [VolumeId, InstanceId] = [some(pool, "volume", NO_VOLUME), some(pool, "instance", NO_INSTANCE)];
  if (VolumeId === undefined || InstanceId === undefined) return null;
  return { call: "AttachVolume", input: { VolumeId, InstanceId, Device: oneOf(pool, ["/dev/sdf", "/dev/sdg"]) } };
}

const port = (pool: Pool): object => {
  const number = oneOf(pool, [22, 80]);
  return {
    IpProtocol: "tcp",
    FromPort: number,
    ToPort: number,
    IpRanges: [{ CidrIp: "0.0.0.0/0" }],
    Ipv6Ranges: [{ CidrIpv6: "::/0" }],
  };
};

function fleet(pool: Pool): Step | null {
  const template = pool.made.get("template")?.[0];
  if (template === undefined) return null;
  const overrides = ZONES.map((zone) => ({
    SubnetId: { id: `subnet ${zone}` },
    InstanceType: oneOf(pool, ["t3.micro", "m5.large", "t9.none"]),
  }));
  const input = {
    Type: "instant",
    LaunchTemplateConfigs: [
      { LaunchTemplateSpecification: { LaunchTemplateId: { id: template }, Version: "$Latest" }, Overrides: overrides },
    ],
    TargetCapacitySpecification: {
      TotalTargetCapacity: 1,
      DefaultTargetCapacityType: oneOf(pool, ["spot", "on-demand"]),
    },
    SpotOptions: { AllocationStrategy: "price-capacity-optimized" },
  };
  return { call: "CreateFleet", input };
}

const DRAWS: readonly { readonly weight: number; readonly draw: Draw }[] = [
  { weight: 9, draw: launch },
  { weight: 2, draw: ({ again }) => again },
  { weight: 8, draw: describeInstances },
  { weight: 5, draw: terminate },
  { weight: 2, draw: onInstances("StopInstances") },
  { weight: 2, draw: onInstances("StartInstances") },
  {
    weight: 3,
    draw: protect,
  },
  {
    weight: 2,
    draw: onOne("CreateTags", "instance", NO_INSTANCE, (id, pool) => ({
      Resources: [id],
      Tags: [{ Key: chance(pool, 0.15) ? "aws:k" : "k", Value: "v" }],
    })),
  },
  {
    weight: 2,
    draw: onOne("CreateImage", "instance", NO_INSTANCE, (InstanceId, pool) => ({
      InstanceId,
      Name: oneOf(pool, ["copy-1", "copy-2", "copy-3"]),
      NoReboot: true,
    })),
  },
  {
    weight: 3,
    draw: onOne("DeregisterImage", "image copy", NO_IMAGE, (ImageId, pool) => ({
      ImageId,
      DeleteAssociatedSnapshots: chance(pool, 0.5),
    })),
  },
  { weight: 1, draw: onOne("DescribeImages", "image copy", NO_IMAGE, (id) => ({ ImageIds: [id] })) },
  {
    weight: 6,
    draw: (pool) => ({
      call: "CreateVolume",
      input: {
        AvailabilityZone: chance(pool, 0.04) ? "us-east-1q" : oneOf(pool, ["us-east-1a", "us-east-1a", "us-east-1b"]),
        Size: 4,
        ...(chance(pool, 0.4) ? { ClientToken: "volume-token" } : {}),
      },
    }),
  },
  { weight: 4, draw: attach },
  { weight: 2, draw: onOne("DetachVolume", "volume", NO_VOLUME, (VolumeId) => ({ VolumeId })) },
  { weight: 2, draw: onOne("DeleteVolume", "volume", NO_VOLUME, (VolumeId) => ({ VolumeId })) },
  {
    weight: 2,
    draw: (pool) => ({
      call: "CreateSecurityGroup",
      input: { GroupName: oneOf(pool, ["web", "db"]), Description: "made by a test" },
    }),
  },
  {
    weight: 2,
    draw: onOne("AuthorizeSecurityGroupIngress", "group", NO_GROUP, (GroupId, pool) => ({
      GroupId,
      IpPermissions: [port(pool)],
    })),
  },
  {
    weight: 1,
    draw: onOne("RevokeSecurityGroupIngress", "group", NO_GROUP, (GroupId, pool) => ({
      GroupId,
      IpPermissions: [port(pool)],
    })),
  },
  { weight: 2, draw: onOne("DeleteSecurityGroup", "group", NO_GROUP, (GroupId) => ({ GroupId })) },
  {
    weight: 2,
    draw: (pool) => ({
      call: "CreateLaunchTemplate",
      input: {
        LaunchTemplateName: oneOf(pool, ["template-1", "template-2"]),
        LaunchTemplateData: { ImageId: { id: "image" }, InstanceType: "t3.micro" },
      },
    }),
  },
  {
    weight: 1,
    draw: onOne("DeleteLaunchTemplate", "template", "lt-0123456789abcdef0", (LaunchTemplateId) => ({
      LaunchTemplateId,
    })),
  },
  { weight: 3, draw: fleet },
  {
    weight: 1,
    draw: onOne("CancelSpotInstanceRequests", "spot request", "sir-01234567", (id) => ({
      SpotInstanceRequestIds: [id],
    })),
  },
  { weight: 7, draw: (pool) => oneOf(pool, READS) },
  { weight: 2, draw: () => ({ call: "DescribeVolumes", input: {} }) },
];

const WEIGHTS = DRAWS.reduce((sum, { weight }) => sum + weight, 0);

/** The next call, whatever it needs being there. */
export function drawStep(pool: Pool): Step {
  for (;;) {
    let left = pool.random.whole(WEIGHTS);
    const chosen = DRAWS.find(({ weight }) => (left -= weight) < 0);
    const step = chosen?.draw(pool) ?? null;
    if (step !== null) return step;
  }
}
