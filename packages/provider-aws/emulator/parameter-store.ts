import { z } from "zod";
import { refuse } from "./answers.ts";
import { EMULATED_IMAGES } from "./catalogue.ts";
import { type JsonAction, jsonAction } from "./json-action.ts";

const MOST_NAMES = 10;

function parameterOf(name: string, region: string): object | undefined {
  const image = EMULATED_IMAGES.find(({ parameters }) => parameters.includes(name));
  if (image === undefined) return undefined;
  return {
    Name: name,
    Type: "String",
    Value: image.id,
    Version: 1,
    LastModifiedDate: 1_762_000_000,
    ARN: `arn:aws:ssm:${region}::parameter${name}`,
    DataType: "aws:ec2:image",
  };
}

export const parameterStoreActions: Readonly<Record<string, JsonAction>> = {
  "AmazonSSM.GetParameter": jsonAction(
    z.strictObject({ Name: z.string().min(1), WithDecryption: z.boolean().optional() }),
    ({ region }, { Name }) => ({
      Parameter: parameterOf(Name, region.name) ?? refuse("ParameterNotFound", `Parameter ${Name} not found.`),
    }),
  ),
  "AmazonSSM.GetParameters": jsonAction(
    z.strictObject({
      Names: z.array(z.string().min(1)).min(1).max(MOST_NAMES),
      WithDecryption: z.boolean().optional(),
    }),
    ({ region }, { Names }) => ({
      Parameters: Names.flatMap((name) => parameterOf(name, region.name) ?? []),
      InvalidParameters: Names.filter((name) => parameterOf(name, region.name) === undefined),
    }),
  ),
};
