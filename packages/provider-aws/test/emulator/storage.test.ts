import {
  AttachVolumeCommand,
  CreateImageCommand,
  CreateSnapshotCommand,
  CreateVolumeCommand,
  DeleteSnapshotCommand,
  DeleteVolumeCommand,
  DeregisterImageCommand,
  DescribeImagesCommand,
  DescribeSnapshotsCommand,
  DescribeVolumesCommand,
  DetachVolumeCommand,
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
  const run = async (more: Partial<RunInstancesCommandInput> = {}) => {
    const { Instances = [] } = await client.send(new RunInstancesCommand({ ...LAUNCH, ...more }));
    await emulator.clock.sleep(30_000);
    return Instances[0]?.InstanceId ?? "";
  };
  return { emulator, client, run };
}

describe("volumes", () => {
  const inZone = (zone: string) => ({ Placement: { AvailabilityZone: zone } });

  it("are attached to one instance of their zone, whoever else tries", async () => {
    const { client, run, emulator } = world();
    const [first, second, far] = [
      await run(inZone("us-east-1a")),
      await run(inZone("us-east-1a")),
      await run(inZone("us-east-1b")),
    ];
    const create = new CreateVolumeCommand({ AvailabilityZone: "us-east-1a", Size: 4, ClientToken: "one" });
    const { VolumeId = "", State } = await client.send(create);
    expect(State).toBe("creating");
    expect((await client.send(create)).VolumeId).toBe(VolumeId);
    const attach = (InstanceId: string) =>
      codeOf(client.send(new AttachVolumeCommand({ VolumeId, InstanceId, Device: "/dev/sdf" })));
    expect(await attach(first)).toBe("IncorrectState");
    await emulator.clock.sleep(2_000);
    expect(await attach(far)).toBe("InvalidVolume.ZoneMismatch");
    expect((await Promise.all([attach(first), attach(second)])).toSorted()).toEqual(["VolumeInUse", "none"]);
    const remove = () => codeOf(client.send(new DeleteVolumeCommand({ VolumeId })));
    expect(await remove()).toBe("VolumeInUse");
    await client.send(new DetachVolumeCommand({ VolumeId }));
    await emulator.clock.sleep(1_000);
    expect(await remove()).toBe("none");
    await emulator.clock.sleep(2_000);
    expect(await codeOf(client.send(new DescribeVolumesCommand({ VolumeIds: [VolumeId] })))).toBe(
      "InvalidVolume.NotFound",
    );
  });

  it("end with their instance, or come free, as they were mapped", async () => {
    const { client, run, emulator } = world();
    const id = await run({
      ...inZone("us-east-1a"),
      BlockDeviceMappings: [
        { DeviceName: "/dev/xvda", Ebs: { VolumeSize: 20, Encrypted: true } },
        { DeviceName: "/dev/sdf", Ebs: { VolumeSize: 5, DeleteOnTermination: false } },
      ],
    });
    expect(emulator.control.volumes()).toMatchObject([
      { sizeGib: 20, encrypted: true, state: "in-use" },
      { sizeGib: 5, encrypted: false, state: "in-use" },
    ]);
    await client.send(new TerminateInstancesCommand({ InstanceIds: [id] }));
    await emulator.clock.sleep(20_000);
    expect(emulator.control.volumes()).toMatchObject([{ sizeGib: 5, state: "available" }]);
  });
});

describe("images and snapshots", () => {
  it("take time, hold their names, and are deleted together", async () => {
    const { client, run, emulator } = world();
    const InstanceId = await run();
    const create = () => client.send(new CreateImageCommand({ InstanceId, Name: "copy", NoReboot: true }));
    const { ImageId = "" } = await create();
    expect(await codeOf(create())).toBe("InvalidAMIName.Duplicate");
    const read = async () => (await client.send(new DescribeImagesCommand({ ImageIds: [ImageId] }))).Images?.[0];
    expect((await read())?.State).toBe("pending");
    expect(await codeOf(run({ ImageId }))).toBe("InvalidAMIID.Unavailable");
    await emulator.clock.sleep(60_000);
    const image = await read();
    expect(image?.State).toBe("available");
    expect(await codeOf(run({ ImageId }))).toBe("none");
    const SnapshotId = image?.BlockDeviceMappings?.[0]?.Ebs?.SnapshotId ?? "";
    expect(await codeOf(client.send(new DeleteSnapshotCommand({ SnapshotId })))).toBe("InvalidSnapshot.InUse");
    const shown = await client.send(new DescribeSnapshotsCommand({ SnapshotIds: [SnapshotId] }));
    expect(shown.Snapshots?.[0]?.Description).toBe(`Created by CreateImage(${InstanceId}) for ${ImageId}`);
    const gone = await client.send(new DeregisterImageCommand({ ImageId, DeleteAssociatedSnapshots: true }));
    expect(gone.DeleteSnapshotResults).toEqual([{ SnapshotId, ReturnCode: "success" }]);
    expect(emulator.control.snapshots()).toEqual([]);
    expect(await codeOf(client.send(new DeregisterImageCommand({ ImageId })))).toBe("InvalidAMIID.NotFound");
  });

  it("may be made of one volume every fifteen seconds", async () => {
    const { client, run, emulator } = world();
    await run();
    const VolumeId = emulator.control.volumes()[0]?.id ?? "";
    const copy = () => codeOf(client.send(new CreateSnapshotCommand({ VolumeId })));
    expect([await copy(), await copy()]).toEqual(["none", "SnapshotCreationPerVolumeRateExceeded"]);
    await emulator.clock.sleep(15_000);
    expect(await copy()).toBe("none");
  });
});
