import type { Image } from "@aws-sdk/client-ec2";
import { refusal } from "./call.ts";
import { imageById, imageOfSnapshot } from "./capabilities/snapshots.ts";
import type { AwsContext, Call } from "./context.ts";
import { nativeCodeOf } from "./errors.ts";
import { kept } from "./kept.ts";
import { architectureOf } from "./machine-types.ts";
import type { AwsRequest } from "./request.ts";

const AMAZON_LINUX = "/aws/service/ami-amazon-linux-latest/al2023-ami-kernel-default-";
const BY_PARAMETER = "resolve:ssm:";
const AMI = /^ami-[0-9a-f]{8,17}$/;

/** The image of a spawn, looked up: its disks are needed to encrypt them. INVALID_SPEC where there is none such. */
export async function imageFor(context: AwsContext, call: Call, request: AwsRequest): Promise<Image> {
  const { region, instanceType } = request.prepared;
  const { fromSnapshot, image } = request.options;
  if (fromSnapshot !== undefined) {
    if (image === undefined) return imageOfSnapshot(context, call, region, fromSnapshot);
    throw refusal("INVALID_SPEC", call.operation, "image and fromSnapshot exclude each other");
  }
  const wanted = image ?? context.defaultImage ?? `${AMAZON_LINUX}${architectureOf(instanceType)}`;
  const imageId = AMI.test(wanted) ? wanted : await resolved(context, call, region, wanted);
  const found = await keptImage(context, call, region, imageId);
  if (found !== null) return found;
  // What the parameter said within the last hour is gone: it may name a newer one by now.
  if (!AMI.test(wanted) && context.imageIds.delete(`${region}/${parameterOf(wanted)}`)) {
    const newer = await keptImage(context, call, region, await resolved(context, call, region, wanted));
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
  const imageId = await kept(context, call, context.imageIds, `${region}/${name}`, async () => {
    const { Parameter } = await context.client.ssm(call, region, "GetParameter", { Name: name });
    return Parameter?.Value ?? null;
  });
  if (imageId !== null && AMI.test(imageId)) return imageId;
  context.imageIds.delete(`${region}/${name}`);
  throw refusal("INVALID_SPEC", call.operation, `image: the SSM parameter ${name} holds no image id`);
}

/** An image's disks never change; that it is gone the launch itself says. */
async function keptImage(context: AwsContext, call: Call, region: string, imageId: string): Promise<Image | null> {
  const found = await kept(context, call, context.images, `${region}/${imageId}`, () =>
    imageById(context, call, region, imageId),
  );
  if (found?.State !== "available") context.images.delete(`${region}/${imageId}`);
  return found;
}

const IMAGE_GONE = /^InvalidAMIID\.(NotFound|Unavailable)$/;

/** Has EC2 refused a launch since its image is gone? Then nothing here leads to that image any more; a newer one stays. */
export function forgetImage(context: AwsContext, region: string, image: Image, error: unknown): boolean {
  if (!IMAGE_GONE.test(nativeCodeOf(error))) return false;
  context.images.delete(`${region}/${image.ImageId}`);
  for (const [name, { value }] of context.imageIds) {
    if (value === image.ImageId && name.startsWith(`${region}/`)) context.imageIds.delete(name);
  }
  return true;
}
