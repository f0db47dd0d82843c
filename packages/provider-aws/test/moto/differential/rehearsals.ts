import type { Step } from "./pool.ts";

const ZONE = { Placement: { AvailabilityZone: "us-east-1a" } };

function launch(number: string, more: object = {}): Step {
  const TagSpecifications = [{ ResourceType: "instance", Tags: [{ Key: "n", Value: number }] }];
  const machine = { ImageId: { id: "image" }, InstanceType: "t3.micro", MinCount: 1, MaxCount: 1 };
  return { call: "RunInstances", input: { ...machine, ...ZONE, ...more, TagSpecifications } };
}

const ids = (...names: readonly string[]) => ({ InstanceIds: names.map((id) => ({ id })) });
const image = { call: "CreateImage", input: { InstanceId: { id: "instance 0" }, Name: "copy-1", NoReboot: true } };
const deregister = { call: "DeregisterImage", input: { ImageId: { id: "image copy 0" } } };

/** What chance leads to too seldom: each goes straight to one thing in which moto is no EC2. */
export const REHEARSALS: readonly (readonly Step[])[] = [
  [
    launch("001"),
    { call: "StopInstances", input: ids("instance 0") },
    { call: "StopInstances", input: ids("instance 0") },
  ],
  [launch("001"), image, deregister, { call: "DescribeImages", input: { ImageIds: [{ id: "image copy 0" }] } }],
  [launch("001"), image, deregister, deregister],
  [launch("001"), image, image],
  [
    launch("001", { BlockDeviceMappings: [{ DeviceName: "/dev/xvda", Ebs: { VolumeSize: 20 } }] }),
    { call: "TerminateInstances", input: ids("instance 0") },
    { call: "DescribeVolumes", input: {} },
  ],
  [launch("001", { DryRun: true, InstanceType: "t9.none" })],
  [
    launch("001"),
    launch("002", { Placement: { AvailabilityZone: "us-east-1b" } }),
    {
      call: "ModifyInstanceAttribute",
      input: { InstanceId: { id: "instance 1" }, DisableApiTermination: { Value: true } },
    },
    { call: "TerminateInstances", input: ids("instance 1", "instance 0") },
  ],
  [
    launch("001"),
    { call: "TerminateInstances", input: ids("instance 0") },
    { call: "DescribeSubnets", input: { Filters: [{ Name: "availability-zone", Values: ["us-east-1a"] }] } },
  ],
  [launch("001", { ClientToken: "token-1" }), launch("001", { ClientToken: "token-1", InstanceType: "m5.large" })],
];
