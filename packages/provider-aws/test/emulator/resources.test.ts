import {
  AttachVolumeCommand,
  AuthorizeSecurityGroupIngressCommand,
  CancelSpotInstanceRequestsCommand,
  CreateSecurityGroupCommand,
  CreateVolumeCommand,
  DeleteSecurityGroupCommand,
  DescribeAvailabilityZonesCommand,
  DescribeInstanceStatusCommand,
  DescribeInstancesCommand,
  DescribeInstanceTypeOfferingsCommand,
  DescribeInstanceTypesCommand,
  DescribeNetworkInterfacesCommand,
  DescribeSecurityGroupsCommand,
  DescribeSpotInstanceRequestsCommand,
  DescribeSpotPriceHistoryCommand,
  DescribeSubnetsCommand,
  DescribeVpcsCommand,
  ModifyInstanceAttributeCommand,
  RevokeSecurityGroupEgressCommand,
  RunInstancesCommand,
  type RunInstancesCommandInput,
  StartInstancesCommand,
  StopInstancesCommand,
  TerminateInstancesCommand,
} from "@aws-sdk/client-ec2";
import { describe, expect, it } from "vitest";
import { type Ec2EmulatorSettings, ec2Emulator } from "../../emulator/index.ts";
import { codeOf, ec2Client, IMAGE } from "./sdk.ts";

const LAUNCH: RunInstancesCommandInput = { ImageId: IMAGE, InstanceType: "t3.micro", MinCount: 1, MaxCount: 1 };

function world(settings: Ec2EmulatorSettings = {}) {
  const emulator = ec2Emulator({ limits: null, ...settings });
  const client = ec2Client(emulator);
  const run = async (more: Partial<RunInstancesCommandInput> = {}) => {
    const { Instances = [] } = await client.send(new RunInstancesCommand({ ...LAUNCH, ...more }));
    await emulator.clock.sleep(30_000);
    return Instances[0]?.InstanceId ?? "";
  };
  return { emulator, client, run };
}

describe("stop and start", () => {
  const hibernating: Partial<RunInstancesCommandInput> = {
    InstanceType: "m7i.large",
    HibernationOptions: { Configured: true },
    BlockDeviceMappings: [{ DeviceName: "/dev/xvda", Ebs: { VolumeSize: 16, Encrypted: true } }],
  };

  it("hibernate what was made for it, once it is ready", async () => {
    const { client, run, emulator } = world();
    expect(await codeOf(run({ ...hibernating, BlockDeviceMappings: [] }))).toBe("UnsupportedHibernationConfiguration");
    const id = await run(hibernating);
    const stop = () => client.send(new StopInstancesCommand({ InstanceIds: [id], Hibernate: true }));
    await expect(stop()).rejects.toThrow("not ready to hibernate yet");
    await emulator.clock.sleep(120_000);
    await stop();
    await emulator.clock.sleep(20_000);
    const { Reservations } = await client.send(new DescribeInstancesCommand({ InstanceIds: [id] }));
    expect(Reservations?.[0]?.Instances?.[0]).toMatchObject({
      State: { Name: "stopped" },
      StateReason: { Code: "Client.UserInitiatedHibernate" },
    });
    const start = () => codeOf(client.send(new StartInstancesCommand({ InstanceIds: [id] })));
    const zone = emulator.control.instances()[0]?.zone ?? "";
    emulator.control.setCapacity({ zone, type: "m7i.large" }, 0);
    expect(await start()).toBe("InsufficientInstanceCapacity");
    emulator.control.setCapacity({ zone, type: "m7i.large" }, 1);
    expect(await start()).toBe("none");
    const plain = await run();
    const other = new StopInstancesCommand({ InstanceIds: [plain], Hibernate: true });
    expect(await codeOf(client.send(other))).toBe("UnsupportedHibernationConfiguration");
  });

  it("shield the whole zone of a protected instance, and only that", async () => {
    const { client, run, emulator } = world();
    const [a, shielded, b] = [
      await run({ Placement: { AvailabilityZone: "us-east-1a" } }),
      await run({ Placement: { AvailabilityZone: "us-east-1a" } }),
      await run({ Placement: { AvailabilityZone: "us-east-1b" } }),
    ];
    await client.send(
      new ModifyInstanceAttributeCommand({ InstanceId: shielded, DisableApiTermination: { Value: true } }),
    );
    const end = (...InstanceIds: string[]) => codeOf(client.send(new TerminateInstancesCommand({ InstanceIds })));
    expect(await end(a, b, "i-0123456789abcdef0")).toBe("InvalidInstanceID.NotFound");
    expect(emulator.control.instances().filter(({ live }) => live)).toHaveLength(3);
    expect(await end(a, shielded, b)).toBe("OperationNotPermitted");
    expect(
      emulator.control
        .instances()
        .filter(({ live }) => live)
        .map(({ id }) => id),
    ).toEqual([a, shielded]);
    expect(await end(a)).toBe("none");
  });
});

describe("security groups", () => {
  it("have one name in a network, one of each rule, and stay while they are used", async () => {
    const { client, run, emulator } = world();
    const create = () => client.send(new CreateSecurityGroupCommand({ GroupName: "web", Description: "web" }));
    const { GroupId = "" } = await create();
    expect(await codeOf(create())).toBe("InvalidGroup.Duplicate");
    const rule = {
      IpProtocol: "tcp",
      FromPort: 80,
      ToPort: 80,
      IpRanges: [{ CidrIp: "0.0.0.0/0" }],
      Ipv6Ranges: [{ CidrIpv6: "::/0" }],
    };
    const allow = () =>
      codeOf(client.send(new AuthorizeSecurityGroupIngressCommand({ GroupId, IpPermissions: [rule] })));
    expect([await allow(), await allow()]).toEqual(["none", "InvalidPermission.Duplicate"]);
    const everything = [{ IpProtocol: "-1", IpRanges: [{ CidrIp: "0.0.0.0/0" }] }];
    const shut = () =>
      codeOf(client.send(new RevokeSecurityGroupEgressCommand({ GroupId, IpPermissions: everything })));
    expect([await shut(), await shut()]).toEqual(["none", "InvalidPermission.NotFound"]);
    const { SecurityGroups = [] } = await client.send(
      new DescribeSecurityGroupsCommand({ Filters: [{ Name: "group-name", Values: ["web"] }] }),
    );
    expect(SecurityGroups[0]?.IpPermissions).toMatchObject([rule]);
    expect(SecurityGroups[0]?.IpPermissionsEgress).toEqual([]);
    const id = await run({ SecurityGroupIds: [GroupId] });
    const remove = () => codeOf(client.send(new DeleteSecurityGroupCommand({ GroupId })));
    const used = await client.send(
      new DescribeNetworkInterfacesCommand({ Filters: [{ Name: "group-id", Values: [GroupId] }] }),
    );
    expect(used.NetworkInterfaces?.[0]?.Attachment?.InstanceId).toBe(id);
    await client.send(new TerminateInstancesCommand({ InstanceIds: [id] }));
    expect(await remove()).toBe("DependencyViolation");
    await emulator.clock.sleep(20_000);
    expect(await remove()).toBe("none");
  });
});

describe("spot", () => {
  const spot: Partial<RunInstancesCommandInput> = { InstanceMarketOptions: { MarketType: "spot" } };

  it("has requests that outlive a cancel, and instances that EC2 reclaims", async () => {
    const { client, run, emulator } = world();
    const [kept, taken] = [await run(spot), await run(spot)];
    const requestOf = (id: string) => emulator.control.instances().find((one) => one.id === id)?.spotRequestId ?? "";
    await client.send(new CancelSpotInstanceRequestsCommand({ SpotInstanceRequestIds: [requestOf(kept)] }));
    emulator.control.interrupt(taken);
    const status = async () => {
      const { SpotInstanceRequests = [] } = await client.send(new DescribeSpotInstanceRequestsCommand({}));
      return SpotInstanceRequests.map(({ Status }) => Status?.Code);
    };
    expect(await status()).toEqual(["request-canceled-and-instance-running", "marked-for-termination"]);
    await emulator.clock.sleep(120_000);
    expect(await status()).toEqual(["request-canceled-and-instance-running", "instance-terminated-no-capacity"]);
    const { Reservations } = await client.send(new DescribeInstancesCommand({ InstanceIds: [taken] }));
    expect(Reservations?.[0]?.Instances?.[0]).toMatchObject({
      InstanceLifecycle: "spot",
      State: { Name: "shutting-down" },
      StateReason: { Code: "Server.SpotInstanceTermination" },
    });
    expect(emulator.control.instances().map(({ live }) => live)).toEqual([true, false]);
  });

  it("lets go of a volume that is attached in its last two minutes", async () => {
    const { client, run, emulator } = world();
    const InstanceId = await run({ ...spot, Placement: { AvailabilityZone: "us-east-1a" } });
    const create = new CreateVolumeCommand({ AvailabilityZone: "us-east-1a", Size: 4 });
    const { VolumeId = "" } = await client.send(create);
    await emulator.clock.sleep(2_000);
    emulator.control.interrupt(InstanceId);
    await client.send(new AttachVolumeCommand({ VolumeId, InstanceId, Device: "/dev/sdf" }));
    const state = () => emulator.control.volumes().find(({ id }) => id === VolumeId)?.state;
    await emulator.clock.sleep(60_000);
    expect(state()).toBe("in-use");
    await emulator.clock.sleep(120_000);
    expect(state()).toBe("available");
  });

  it("has a price, below which nothing is sold", async () => {
    const { client, run, emulator } = world();
    const low = { MarketType: "spot" as const, SpotOptions: { MaxPrice: "0.0001" } };
    expect(await codeOf(run({ InstanceMarketOptions: low }))).toBe("SpotMaxPriceTooLow");
    emulator.control.setSpotPrice("us-east-1b", "t3.micro", 0.5);
    const { SpotPriceHistory = [] } = await client.send(
      new DescribeSpotPriceHistoryCommand({ InstanceTypes: ["t3.micro"], ProductDescriptions: ["Linux/UNIX"] }),
    );
    expect(SpotPriceHistory.map(({ AvailabilityZone, SpotPrice }) => [AvailabilityZone, Number(SpotPrice)])).toEqual([
      ["us-east-1a", expect.closeTo(0.003744)],
      ["us-east-1b", 0.5],
      ["us-east-1c", expect.closeTo(0.004368)],
    ]);
  });
});

describe("what a region offers", () => {
  it("is described", async () => {
    const { client, run } = world();
    const id = await run();
    const { AvailabilityZones = [] } = await client.send(new DescribeAvailabilityZonesCommand({}));
    expect(AvailabilityZones.map(({ ZoneName, ZoneId }) => [ZoneName, ZoneId])[1]).toEqual(["us-east-1b", "use1-az2"]);
    const { Vpcs = [] } = await client.send(
      new DescribeVpcsCommand({ Filters: [{ Name: "is-default", Values: ["true"] }] }),
    );
    const { Subnets = [] } = await client.send(
      new DescribeSubnetsCommand({ Filters: [{ Name: "vpc-id", Values: [Vpcs[0]?.VpcId ?? ""] }] }),
    );
    expect(Subnets.reduce((sum, { AvailableIpAddressCount = 0 }) => sum + AvailableIpAddressCount, 0)).toBe(
      3 * 4_091 - 1,
    );
    const { InstanceTypeOfferings = [] } = await client.send(
      new DescribeInstanceTypeOfferingsCommand({
        LocationType: "availability-zone",
        Filters: [{ Name: "instance-type", Values: ["g5.*"] }],
      }),
    );
    expect(InstanceTypeOfferings.map(({ Location }) => Location)).toEqual(["us-east-1a", "us-east-1b"]);
    const { InstanceTypes = [] } = await client.send(
      new DescribeInstanceTypesCommand({ InstanceTypes: ["p5.48xlarge"] }),
    );
    expect(InstanceTypes[0]).toMatchObject({
      VCpuInfo: { DefaultVCpus: 192 },
      MemoryInfo: { SizeInMiB: 2048 * 1024 },
      GpuInfo: { Gpus: [{ Name: "H100", Count: 8 }] },
      HibernationSupported: false,
    });
    const { InstanceStatuses = [] } = await client.send(new DescribeInstanceStatusCommand({ InstanceIds: [id] }));
    expect(InstanceStatuses[0]?.InstanceStatus?.Status).toBe("ok");
  });
});
