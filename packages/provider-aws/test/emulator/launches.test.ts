import {
  CreateFleetCommand,
  type CreateFleetCommandInput,
  CreateLaunchTemplateCommand,
  DeleteLaunchTemplateCommand,
  DescribeLaunchTemplatesCommand,
  RunInstancesCommand,
  type RunInstancesCommandInput,
  TerminateInstancesCommand,
} from "@aws-sdk/client-ec2";
import { describe, expect, it } from "vitest";
import { type Ec2EmulatorSettings, ec2Emulator } from "../../emulator/index.ts";
import { codeOf, ec2Client, IMAGE } from "./sdk.ts";

const LAUNCH: RunInstancesCommandInput = { ImageId: IMAGE, InstanceType: "t3.micro", MinCount: 1, MaxCount: 1 };

function world(settings: Ec2EmulatorSettings = {}) {
  const emulator = ec2Emulator({ limits: null, ...settings });
  const client = ec2Client(emulator);
  const launch = async (more: Partial<RunInstancesCommandInput> = {}) => {
    const { Instances = [] } = await client.send(new RunInstancesCommand({ ...LAUNCH, ...more }));
    return Instances.map(({ InstanceId = "" }) => InstanceId);
  };
  const zoneOf = (id: string | undefined) => emulator.control.instances().find((one) => one.id === id)?.zone;
  return { emulator, client, launch, zoneOf };
}

describe("a client token", () => {
  it("makes one instance, however often the same request comes", async () => {
    const { emulator, launch } = world();
    const first = await launch({ ClientToken: "token" });
    expect(await launch({ ClientToken: "token" })).toEqual(first);
    expect(emulator.control.instances()).toHaveLength(1);
    expect(await codeOf(launch({ ClientToken: "token", InstanceType: "t3.small" }))).toBe(
      "IdempotentParameterMismatch",
    );
    expect(await launch({ ClientToken: "Token" })).not.toEqual(first);
  });

  it("is another one in another zone", async () => {
    const { emulator, launch } = world();
    const inZone = (zone: string) => launch({ ClientToken: "token", Placement: { AvailabilityZone: zone } });
    const a = await inZone("us-east-1a");
    expect(await inZone("us-east-1b")).not.toEqual(a);
    expect(await launch({ ClientToken: "token" })).not.toEqual(a);
    expect(await inZone("us-east-1a")).toEqual(a);
    expect(emulator.control.instances()).toHaveLength(3);
  });

  it("is spent when its instance ended", async () => {
    const { client, launch } = world();
    const ids = await launch({ ClientToken: "token" });
    await client.send(new TerminateInstancesCommand({ InstanceIds: ids }));
    expect(await codeOf(launch({ ClientToken: "token" }))).toBe("IdempotentInstanceTerminated");
  });

  it("is not spent by a launch that failed", async () => {
    const { emulator, launch } = world({ capacity: 0 });
    expect(await codeOf(launch({ ClientToken: "token" }))).toBe("InsufficientInstanceCapacity");
    emulator.control.setCapacity({ zone: "us-east-1b", type: "t3.micro" }, 1);
    expect(await launch({ ClientToken: "token" })).toHaveLength(1);
  });
});

describe("capacity", () => {
  it("is counted by zone, type and market, and the message names where there is some", async () => {
    const { emulator, launch, zoneOf } = world({ capacity: 0 });
    emulator.control.setCapacity({ zone: "us-east-1c", type: "t3.micro" }, 2);
    const here = { Placement: { AvailabilityZone: "us-east-1a" } };
    await expect(launch(here)).rejects.toThrow(/choosing us-east-1c\.$/);
    expect(zoneOf((await launch())[0])).toBe("us-east-1c");
    expect(await launch({ MinCount: 1, MaxCount: 5 })).toHaveLength(1);
    expect(await codeOf(launch())).toBe("InsufficientInstanceCapacity");
    emulator.control.setCapacity({ zone: "us-east-1a", type: "t3.micro", market: "spot" }, 1);
    expect(await codeOf(launch(here))).toBe("InsufficientInstanceCapacity");
    expect(await launch({ ...here, InstanceMarketOptions: { MarketType: "spot" } })).toHaveLength(1);
  });

  it("is nowhere where a zone does not offer the type", async () => {
    const { launch } = world();
    const gpu = { InstanceType: "p5.48xlarge" as const, Placement: { AvailabilityZone: "us-east-1a" } };
    await expect(launch(gpu)).rejects.toThrow(
      /not supported in your requested Availability Zone.*choosing us-east-1b\.$/,
    );
    expect(await codeOf(launch(gpu))).toBe("Unsupported");
  });

  it("ends with the quota of vCPUs, and with a subnet's addresses", async () => {
    const { emulator, launch, client } = world({ vcpuQuota: 4, spotVcpuQuota: 2, addresses: 3 });
    const ids = await launch({ MaxCount: 3 });
    expect(ids).toHaveLength(2);
    expect(await codeOf(launch())).toBe("VcpuLimitExceeded");
    const spot = { InstanceMarketOptions: { MarketType: "spot" as const } };
    await launch(spot);
    expect(await codeOf(launch(spot))).toBe("MaxSpotInstanceCountExceeded");
    await client.send(new TerminateInstancesCommand({ InstanceIds: ids }));
    expect(await codeOf(launch())).toBe("VcpuLimitExceeded");
    await emulator.clock.sleep(20_000);
    emulator.control.setQuota({ region: "us-east-1", market: "on-demand" }, 100);
    const here = { Placement: { AvailabilityZone: emulator.control.instances().at(-1)?.zone } };
    expect(await codeOf(launch({ ...here, MinCount: 4, MaxCount: 4 }))).toBe("InsufficientFreeAddressesInSubnet");
  });
});

describe("a launch template and a fleet", () => {
  const fleetOf = (overrides: object[], more: Partial<CreateFleetCommandInput> = {}): CreateFleetCommandInput => ({
    Type: "instant",
    LaunchTemplateConfigs: [
      { LaunchTemplateSpecification: { LaunchTemplateName: "machine", Version: "$Latest" }, Overrides: overrides },
    ],
    TargetCapacitySpecification: { TotalTargetCapacity: 2, DefaultTargetCapacityType: "spot" },
    ...more,
  });

  it("launches over several pools, and says what each refused one said", async () => {
    const { emulator, client } = world();
    const LaunchTemplateData = { ImageId: IMAGE, InstanceType: "t3.micro" as const };
    await client.send(new CreateLaunchTemplateCommand({ LaunchTemplateName: "machine", LaunchTemplateData }));
    const again = new CreateLaunchTemplateCommand({ LaunchTemplateName: "machine", LaunchTemplateData });
    expect(await codeOf(client.send(again))).toBe("InvalidLaunchTemplateName.AlreadyExistsException");
    emulator.control.setCapacity({ zone: "us-east-1b", type: "t3.micro", market: "spot" }, 0);
    emulator.control.setCapacity({ zone: "us-east-1a", type: "t3.micro", market: "spot" }, 1);
    const zones = ["us-east-1a", "us-east-1b", "us-east-1c"].map((AvailabilityZone) => ({ AvailabilityZone }));
    const request = fleetOf(zones, {
      ClientToken: "fleet",
      SpotOptions: { AllocationStrategy: "price-capacity-optimized" },
    });
    const { Instances = [], Errors = [] } = await client.send(new CreateFleetCommand(request));
    expect(
      Errors.map(({ ErrorCode, LaunchTemplateAndOverrides }) => [
        ErrorCode,
        LaunchTemplateAndOverrides?.Overrides?.AvailabilityZone,
      ]),
    ).toEqual([["InsufficientInstanceCapacity", "us-east-1b"]]);
    expect(
      Instances.map(({ Lifecycle, InstanceIds, AvailabilityZone }) => [
        Lifecycle,
        InstanceIds?.length,
        AvailabilityZone,
      ]),
    ).toEqual([
      ["spot", 1, "us-east-1a"],
      ["spot", 1, "us-east-1c"],
    ]);
    const { Instances: replayed = [] } = await client.send(new CreateFleetCommand(request));
    expect(replayed[0]?.InstanceIds).toEqual(Instances[0]?.InstanceIds);
    expect(emulator.control.instances()).toHaveLength(2);
  });

  it("answers 200 with nothing but errors where no pool has capacity", async () => {
    const { client } = world({ capacity: 0 });
    const LaunchTemplateData = { ImageId: IMAGE };
    await client.send(new CreateLaunchTemplateCommand({ LaunchTemplateName: "machine", LaunchTemplateData }));
    const overrides = [{ InstanceType: "t3.micro" }, { InstanceType: "no.such" }];
    const { Instances, Errors } = await client.send(new CreateFleetCommand(fleetOf(overrides)));
    expect(Instances).toEqual([]);
    expect(Errors?.map(({ ErrorCode }) => ErrorCode)).toEqual([
      "InsufficientInstanceCapacity",
      "InvalidParameterValue",
    ]);
  });

  it("is gone once deleted", async () => {
    const { client } = world();
    const named = { LaunchTemplateName: "machine" };
    await client.send(new CreateLaunchTemplateCommand({ ...named, LaunchTemplateData: { ImageId: IMAGE } }));
    await client.send(new DeleteLaunchTemplateCommand(named));
    expect(await codeOf(client.send(new CreateFleetCommand(fleetOf([]))))).toBe(
      "InvalidLaunchTemplateName.NotFoundException",
    );
    const described = client.send(new DescribeLaunchTemplatesCommand({ LaunchTemplateNames: ["machine"] }));
    expect(await codeOf(described)).toBe("InvalidLaunchTemplateName.NotFoundException");
  });
});
