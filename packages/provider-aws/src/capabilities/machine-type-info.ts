import type { InstanceTypeInfo } from "@aws-sdk/client-ec2";
import { refusal } from "../call.ts";
import type { AwsContext, Call } from "../context.ts";

/** What EC2 tells of a machine type; INVALID_SPEC where the region does not know it. */
export async function machineType(
  context: AwsContext,
  call: Call,
  region: string,
  instanceType: string,
): Promise<InstanceTypeInfo> {
  const { InstanceTypes = [] } = await context.client.send(call, region, "DescribeInstanceTypes", {
    // EC2's own list of names grows every month: whatever the caller writes is asked for.
    InstanceTypes: [instanceType as NonNullable<InstanceTypeInfo["InstanceType"]>],
  });
  const [found] = InstanceTypes;
  if (found !== undefined) return found;
  throw refusal("INVALID_SPEC", call.operation, `spec: ${region} knows no machine type ${instanceType}`);
}
