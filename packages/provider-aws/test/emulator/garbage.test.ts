import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ACTIONS } from "../../emulator/emulator.ts";
import { ec2Emulator } from "../../emulator/index.ts";
import { IMAGE } from "./sdk.ts";

const SCOPE = "Credential=AKIAEMULATOREMULATOR/20260101/us-east-1";

async function send(
  fetch: typeof globalThis.fetch,
  service: string,
  body: string,
  headers: Record<string, string> = {},
) {
  const authorization = `AWS4-HMAC-SHA256 ${SCOPE}/${service}/aws4_request`;
  const response = await fetch("https://any.amazonaws.com/", {
    method: "POST",
    headers: { authorization, ...headers },
    body,
  });
  return { status: response.status, text: await response.text() };
}

const NAMES = [
  "InstanceId",
  "Filter",
  "Name",
  "Value",
  "Tag",
  "Key",
  "ImageId",
  "InstanceType",
  "MinCount",
  "MaxCount",
  "VolumeId",
  "GroupId",
  "IpPermissions",
  "IpProtocol",
  "FromPort",
  "ToPort",
  "IpRanges",
  "CidrIp",
  "TagSpecification",
  "ResourceType",
  "NextToken",
  "MaxResults",
  "ClientToken",
  "DryRun",
  "SubnetId",
  "Placement",
  "AvailabilityZone",
  "SpotInstanceRequestId",
  "LaunchTemplateConfigs",
  "TargetCapacitySpecification",
  "1",
  "2",
  "0",
  "__proto__",
  "constructor",
];
const VALUES = [
  "",
  "1",
  "-1",
  "9999999999",
  "true",
  "i-0123456789abcdef0",
  IMAGE,
  "t3.micro",
  "us-east-1a",
  "*",
  "\\",
  "<&>",
  "\u0000é\r\n",
];

const name = fc.array(fc.constantFrom(...NAMES), { minLength: 1, maxLength: 4 }).map((parts) => parts.join("."));
const parameters = fc.array(fc.tuple(name, fc.oneof(fc.constantFrom(...VALUES), fc.string({ maxLength: 20 }))), {
  maxLength: 8,
});

describe("whatever is sent", () => {
  it("is answered as EC2 would, and the emulator goes on", async () => {
    const { fetch } = ec2Emulator({ limits: null, latencyMs: 0 });
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...Object.keys(ACTIONS)), parameters, async (action, given) => {
        const form = new URLSearchParams([["Action", action], ["Version", "2016-11-15"], ...given]);
        const { status, text } = await send(fetch, ACTIONS[action]?.service ?? "ec2", form.toString());
        expect([200, 400, 401, 412, 500]).toContain(status);
        expect(text).toMatch(status === 200 ? /<\w+Response xmlns=/ : /<Code>[A-Za-z.]+<\/Code>/);
        expect(text).not.toContain("undefined");
      }),
      { numRuns: 2_000, seed: 6 },
    );
  });

  it("is refused as JSON by the services that speak it", async () => {
    const { fetch } = ec2Emulator({ limits: null, latencyMs: 0 });
    const targets = [
      ["ssm", "AmazonSSM.GetParameter"],
      ["ssm", "AmazonSSM.GetParameters"],
      ["pricing", "AWSPriceListService.GetProducts"],
      ["ce", "AWSInsightsIndexService.GetCostAndUsage"],
      ["ce", "AWSInsightsIndexService.GetCostAndUsageWithResources"],
      ["ce", "AWSInsightsIndexService.Nothing"],
    ] as const;
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...targets),
        fc.oneof(fc.json(), fc.string()),
        async ([service, target], body) => {
          const { status, text } = await send(fetch, service, body, { "x-amz-target": target });
          expect(status).toBe(400);
          expect(JSON.parse(text)).toMatchObject({ __type: expect.stringMatching(/^[A-Z]\w+$/) });
        },
      ),
      { numRuns: 500, seed: 6 },
    );
  });
});
