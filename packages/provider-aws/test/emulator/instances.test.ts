import {
  CreateTagsCommand,
  DescribeImagesCommand,
  DescribeInstancesCommand,
  type DescribeInstancesCommandOutput,
  RunInstancesCommand,
  type RunInstancesCommandInput,
  TerminateInstancesCommand,
} from "@aws-sdk/client-ec2";
import { describe, expect, it } from "vitest";
import { ec2Emulator } from "../../emulator/index.ts";
import { codeOf, ec2Client, IMAGE } from "./sdk.ts";

const LAUNCH: RunInstancesCommandInput = { ImageId: IMAGE, InstanceType: "t3.micro", MinCount: 1, MaxCount: 1 };

describe("an instance", () => {
  it("boots, runs, is tagged and ends on the clock", async () => {
    const emulator = ec2Emulator({ bootMs: 30_000, endMs: 20_000, forgottenAfterMs: 3_600_000 });
    const client = ec2Client(emulator);
    const made = await client.send(
      new RunInstancesCommand({
        ...LAUNCH,
        UserData: Buffer.from("#!/bin/sh\necho <&> hello\n").toString("base64"),
        TagSpecifications: [{ ResourceType: "instance", Tags: [{ Key: "slipway:owner", Value: "me & you" }] }],
      }),
    );
    const id = made.Instances?.[0]?.InstanceId ?? "";
    expect(made.Instances?.[0]?.State).toEqual({ Code: 0, Name: "pending" });
    const read = async () =>
      (await client.send(new DescribeInstancesCommand({ InstanceIds: [id] }))).Reservations?.[0]?.Instances?.[0];
    await emulator.clock.sleep(30_000);
    await client.send(new CreateTagsCommand({ Resources: [id], Tags: [{ Key: "a", Value: "b" }] }));
    const running = await read();
    expect(running?.State?.Name).toBe("running");
    expect(running?.PublicIpAddress).toMatch(/^54\./);
    expect(running?.Tags).toEqual([
      { Key: "slipway:owner", Value: "me & you" },
      { Key: "a", Value: "b" },
    ]);
    expect(emulator.control.instances()[0]).toMatchObject({
      owner: "me & you",
      userData: "#!/bin/sh\necho <&> hello\n",
    });
    const ended = await client.send(new TerminateInstancesCommand({ InstanceIds: [id] }));
    expect(ended.TerminatingInstances?.[0]).toMatchObject({
      PreviousState: { Name: "running" },
      CurrentState: { Name: "shutting-down" },
    });
    await emulator.clock.sleep(20_000);
    expect((await read())?.State?.Name).toBe("terminated");
    await emulator.clock.sleep(3_600_000);
    expect(await codeOf(read())).toBe("InvalidInstanceID.NotFound");
  });

  it("is not seen before reads have caught up", async () => {
    const emulator = ec2Emulator({ readLagMs: 2_000 });
    const client = ec2Client(emulator);
    const made = await client.send(new RunInstancesCommand(LAUNCH));
    const ids = [made.Instances?.[0]?.InstanceId ?? ""];
    const read = () => client.send(new DescribeInstancesCommand({ InstanceIds: ids }));
    expect(await codeOf(read())).toBe("InvalidInstanceID.NotFound");
    await emulator.clock.sleep(2_000);
    expect(await codeOf(read())).toBe("none");
  });

  it("is refused as EC2 refuses it", async () => {
    const client = ec2Client(ec2Emulator({ limits: null }));
    const launch = (more: Partial<RunInstancesCommandInput>) =>
      codeOf(client.send(new RunInstancesCommand({ ...LAUNCH, ...more })));
    expect(await launch({ InstanceType: "t9.huge" as "t3.micro" })).toBe("InvalidParameterValue");
    expect(await launch({ ImageId: "ami-0000000000000dead" })).toBe("InvalidAMIID.NotFound");
    expect(await launch({ ImageId: "ami-x" })).toBe("InvalidAMIID.Malformed");
    expect(await launch({ ImageId: undefined })).toBe("MissingParameter");
    expect(await launch({ MaxCount: 0 })).toBe("InvalidParameterValue");
    expect(await launch({ SubnetId: "subnet-0123456789abcdef0" })).toBe("InvalidSubnetID.NotFound");
    expect(await launch({ SecurityGroupIds: ["sg-0123456789abcdef0"] })).toBe("InvalidGroup.NotFound");
    expect(await launch({ UserData: "not base64!" })).toBe("InvalidUserData.Malformed");
    expect(await launch({ UserData: Buffer.alloc(16_384, 1).toString("base64") })).toBe("none");
    expect(await launch({ UserData: Buffer.alloc(16_385, 1).toString("base64") })).toBe("InvalidUserData.Malformed");
    expect(await launch({ InstanceType: "t4g.micro" })).toBe("InvalidParameterValue");
    expect(await launch({ DryRun: true })).toBe("DryRunOperation");
    expect(await launch({ DryRun: true, ImageId: "ami-0000000000000dead" })).toBe("InvalidAMIID.NotFound");
    const spotTags = [{ ResourceType: "spot-instances-request" as const, Tags: [{ Key: "a", Value: "b" }] }];
    expect(await launch({ TagSpecifications: spotTags })).toBe("InvalidParameterValue");
    expect(await launch({ TagSpecifications: spotTags, InstanceMarketOptions: { MarketType: "spot" } })).toBe("none");
    const reserved = [{ ResourceType: "instance" as const, Tags: [{ Key: "aws:x", Value: "b" }] }];
    expect(await launch({ TagSpecifications: reserved })).toBe("InvalidParameterValue");
    const many = [
      { ResourceType: "instance" as const, Tags: Array.from({ length: 51 }, (_, i) => ({ Key: `k${i}`, Value: "" })) },
    ];
    expect(await launch({ TagSpecifications: many })).toBe("TagLimitExceeded");
    expect(await launch({ ClientToken: "x".repeat(65) })).toBe("InvalidParameterValue");
    expect(await launch({ Placement: { AvailabilityZone: "us-east-1z" } })).toBe("InvalidParameterValue");
  });

  it("is described by ids or by pages, never by both", async () => {
    const client = ec2Client(ec2Emulator());
    const made = await client.send(new RunInstancesCommand({ ...LAUNCH, MinCount: 12, MaxCount: 12 }));
    const ids = (made.Instances ?? []).flatMap(({ InstanceId }) => InstanceId ?? []);
    expect(await codeOf(client.send(new DescribeInstancesCommand({ InstanceIds: ids, MaxResults: 10 })))).toBe(
      "InvalidParameterCombination",
    );
    const seen: string[] = [];
    let NextToken: string | undefined;
    do {
      const page: DescribeInstancesCommandOutput = await client.send(
        new DescribeInstancesCommand({ MaxResults: 5, ...(NextToken === undefined ? {} : { NextToken }) }),
      );
      seen.push(
        ...(page.Reservations ?? []).flatMap((one) => (one.Instances ?? []).map(({ InstanceId = "" }) => InstanceId)),
      );
      NextToken = page.NextToken;
    } while (NextToken !== undefined);
    expect(seen.toSorted()).toEqual(ids.toSorted());
    expect(await codeOf(client.send(new DescribeInstancesCommand({ MaxResults: 4 })))).toBe("InvalidParameterValue");
    expect(await codeOf(client.send(new DescribeInstancesCommand({ MaxResults: 5, NextToken: "x" })))).toBe(
      "InvalidNextToken",
    );
    const twice = await client.send(new DescribeInstancesCommand({ InstanceIds: [ids[0] ?? "", ids[0] ?? ""] }));
    expect(twice.Reservations).toHaveLength(1);
    const unknown = ["i-0123456789abcdef0", ids[0] ?? "", "i-0123456789abcdef1"];
    await expect(client.send(new DescribeInstancesCommand({ InstanceIds: unknown }))).rejects.toThrow(
      "The instance IDs 'i-0123456789abcdef0, i-0123456789abcdef1' do not exist",
    );
  });

  it("is found by filters, whose wildcards can be escaped", async () => {
    const client = ec2Client(ec2Emulator());
    const named = (Value: string) => [{ ResourceType: "instance" as const, Tags: [{ Key: "Name", Value }] }];
    for (const name of ["a*b", "axb", "a?b", "constructor"]) {
      await client.send(new RunInstancesCommand({ ...LAUNCH, TagSpecifications: named(name) }));
    }
    const find = async (...Values: string[]) => {
      const { Reservations = [] } = await client.send(
        new DescribeInstancesCommand({ Filters: [{ Name: "tag:Name", Values }] }),
      );
      return Reservations.flatMap((one) => one.Instances ?? []).map(({ Tags }) => Tags?.[0]?.Value);
    };
    expect(await find("a*b")).toEqual(["a*b", "axb", "a?b"]);
    expect(await find(String.raw`a\*b`)).toEqual(["a*b"]);
    expect(await find(String.raw`a\?b`, "constructor")).toEqual(["a?b", "constructor"]);
    expect(await find("a")).toEqual([]);
    const filter = (Name: string) => client.send(new DescribeInstancesCommand({ Filters: [{ Name, Values: ["x"] }] }));
    expect(await codeOf(filter("no-such-filter"))).toBe("InvalidParameterValue");
    expect((await filter("tag:constructor")).Reservations).toEqual([]);
  });

  it("comes from an image that can be described", async () => {
    const client = ec2Client(ec2Emulator());
    const { Images = [] } = await client.send(new DescribeImagesCommand({ ImageIds: [IMAGE] }));
    expect(Images[0]).toMatchObject({ RootDeviceName: "/dev/xvda", State: "available", Architecture: "x86_64" });
  });
});
