import type { Image } from "@aws-sdk/client-ec2";
import { imageById, imageOfSnapshot } from "./capabilities/snapshots.ts";
import type { AwsContext, Call } from "./context.ts";
import { refusal } from "./errors.ts";
import { architectureOf } from "./machine-types.ts";
import type { SpawnRequest } from "./request.ts";

// New images come every other week; within the hour all of a fleet start alike.
const PARAMETER_KEPT_MS = 3_600_000;
const AMAZON_LINUX = "/aws/service/ami-amazon-linux-latest/al2023-ami-kernel-default-";
const BY_PARAMETER = "resolve:ssm:";
const AMI = /^ami-[0-9a-f]{8,17}$/;

/** The image of a spawn, looked up: its disks are needed to encrypt them. INVALID_SPEC where there is none such. */
export async function imageFor(context: AwsContext, call: Call, request: SpawnRequest): Promise<Image> {
  const { region, options, instanceType } = request;
  const { fromSnapshot, image } = options;
  if (fromSnapshot !== undefined) {
    if (image === undefined) return imageOfSnapshot(context, call, region, fromSnapshot);
    throw refusal("INVALID_SPEC", call.operation, "image and fromSnapshot exclude each other");
  }
  const wanted = image ?? context.defaultImage ?? `${AMAZON_LINUX}${architectureOf(instanceType)}`;
  const imageId = AMI.test(wanted) ? wanted : await resolved(context, call, region, wanted);
  const found = await imageById(context, call, region, imageId);
  if (found !== null) return found;
  // What the parameter said within the last hour is gone: it may name a newer one by now.
  if (!AMI.test(wanted) && context.images.delete(`${region}/${parameterOf(wanted)}`)) {
    const newer = await imageById(context, call, region, await resolved(context, call, region, wanted));
    if (newer !== null) return newer;
  }
  throw refusal("INVALID_SPEC", call.operation, `image: there is no ${imageId} in ${region}`, {
    hint: "Images are regional: name one of this region, or the name of an SSM parameter.",
  });
}

function parameterOf(wanted: string): string {
  return wanted.startsWith(BY_PARAMETER) ? wanted.slice(BY_PARAMETER.length) : wanted;
}

/** An SSM parameter's value, by `/aws/service/…` or in EC2's form `resolve:ssm:…`. */
async function resolved(context: AwsContext, call: Call, region: string, wanted: string): Promise<string> {
  const name = parameterOf(wanted);
  if (!/^[\w./:-]{1,1011}$/.test(name) || !(wanted.startsWith(BY_PARAMETER) || name.startsWith("/"))) {
    throw refusal(
      "INVALID_SPEC",
      call.operation,
      `image: ${JSON.stringify(wanted)} is no image id and no SSM parameter`,
      {
        hint: "An image is ami-…, or the name of an SSM parameter as /aws/service/….",
      },
    );
  }
  const known = context.images.get(`${region}/${name}`);
  if (known !== undefined && context.clock.now() - known.at < PARAMETER_KEPT_MS) return known.imageId;
  const { Parameter } = await context.client.ssm(call, region, "GetParameter", { Name: name });
  const imageId = Parameter?.Value ?? "";
  if (!AMI.test(imageId)) {
    throw refusal("INVALID_SPEC", call.operation, `image: the SSM parameter ${name} holds no image id`);
  }
  context.images.set(`${region}/${name}`, { at: context.clock.now(), imageId });
  return imageId;
}
