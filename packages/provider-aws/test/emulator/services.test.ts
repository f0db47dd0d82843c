import {
  CostExplorerClient,
  GetCostAndUsageCommand,
  type GetCostAndUsageCommandInput,
  GetCostAndUsageWithResourcesCommand,
} from "@aws-sdk/client-cost-explorer";
import { GetProductsCommand, PricingClient } from "@aws-sdk/client-pricing";
import { GetParameterCommand, GetParametersCommand, SSMClient } from "@aws-sdk/client-ssm";
import { GetCallerIdentityCommand, STSClient } from "@aws-sdk/client-sts";
import { describe, expect, it } from "vitest";
import { EMULATOR_CREDENTIALS, ec2Emulator } from "../../emulator/index.ts";
import { codeOf, handlerOf, IMAGE } from "./sdk.ts";

function world() {
  const emulator = ec2Emulator();
  const settings = {
    region: "us-east-1",
    // The SDK writes into what it is given.
    credentials: { ...EMULATOR_CREDENTIALS },
    maxAttempts: 1,
    requestHandler: handlerOf(emulator.fetch),
  };
  return { emulator, settings };
}

describe("the services beside EC2", () => {
  it("say who calls", async () => {
    const { settings } = world();
    const client = new STSClient(settings);
    expect(await client.send(new GetCallerIdentityCommand({}))).toMatchObject({ Account: "123456789012" });
    const other = new STSClient({ ...settings, credentials: { accessKeyId: "AKIAWRONG", secretAccessKey: "x" } });
    expect(await codeOf(other.send(new GetCallerIdentityCommand({})))).toBe("InvalidClientTokenId");
  });

  it("name images by parameters", async () => {
    const client = new SSMClient(world().settings);
    const name = "/aws/service/ami-amazon-linux-latest/al2023-ami-kernel-default-x86_64";
    expect((await client.send(new GetParameterCommand({ Name: name }))).Parameter?.Value).toBe(IMAGE);
    expect(await codeOf(client.send(new GetParameterCommand({ Name: "/no/such" })))).toBe("ParameterNotFound");
    const { Parameters = [], InvalidParameters } = await client.send(
      new GetParametersCommand({ Names: [name, "/no/such"] }),
    );
    expect([Parameters[0]?.Value, InvalidParameters]).toEqual([IMAGE, ["/no/such"]]);
  });

  it("list prices, page by page", async () => {
    const client = new PricingClient(world().settings);
    const filter = (Field: string, Value: string) => ({ Type: "TERM_MATCH" as const, Field, Value });
    const Filters = [
      filter("regionCode", "us-west-2"),
      filter("operatingSystem", "Linux"),
      filter("preInstalledSw", "NA"),
      filter("capacitystatus", "Used"),
      filter("tenancy", "Shared"),
    ];
    const pages: string[][] = [];
    let NextToken: string | undefined;
    do {
      const answer: { PriceList?: unknown[] | undefined; NextToken?: string | undefined } = await client.send(
        new GetProductsCommand({ ServiceCode: "AmazonEC2", Filters, MaxResults: 10, NextToken }),
      );
      pages.push((answer.PriceList ?? []).map(String));
      NextToken = answer.NextToken;
    } while (NextToken !== undefined);
    expect(pages.map((page) => page.length)).toEqual([10, 10, 5]);
    const micro = pages.flat().find((text) => text.includes('"t3.micro"'));
    expect(micro).toContain('"USD":"0.0104000000"');
    expect(await codeOf(client.send(new GetProductsCommand({ ServiceCode: "AmazonNothing" })))).toBe(
      "NotFoundException",
    );
  });

  it("sum costs by day, by tag and by resource", async () => {
    const { emulator, settings } = world();
    const client = new CostExplorerClient(settings);
    const ours = { tags: { "slipway:owner": "me" }, type: "t3.micro", region: "us-east-1" };
    emulator.control.addCost({ ...ours, day: "2025-12-30", usd: 1, instanceId: "i-0123456789abcdef0" });
    emulator.control.addCost({ ...ours, day: "2025-12-31", usd: 2, instanceId: "i-0123456789abcdef1" });
    emulator.control.addCost({ day: "2025-12-31", usd: 4 });
    const Filter = { Tags: { Key: "slipway:owner", Values: ["me"] } };
    const question: GetCostAndUsageCommandInput = {
      TimePeriod: { Start: "2025-12-30", End: "2026-01-01" },
      Granularity: "DAILY",
      Metrics: ["UnblendedCost"],
      Filter,
    };
    const { ResultsByTime = [] } = await client.send(new GetCostAndUsageCommand(question));
    expect(ResultsByTime.map(({ Total }) => Total?.["UnblendedCost"]?.Amount)).toEqual(["1", "2"]);
    const byResource = { ...question, GroupBy: [{ Type: "DIMENSION" as const, Key: "RESOURCE_ID" }] };
    expect(await codeOf(client.send(new GetCostAndUsageCommand(byResource)))).toBe("ValidationException");
    expect(await codeOf(client.send(new GetCostAndUsageWithResourcesCommand({ ...byResource, Filter })))).toBe(
      "ValidationException",
    );
    const service = { Dimensions: { Key: "SERVICE" as const, Values: ["Amazon Elastic Compute Cloud - Compute"] } };
    const asked = new GetCostAndUsageWithResourcesCommand({ ...byResource, Filter: { And: [Filter, service] } });
    const { ResultsByTime: days = [] } = await client.send(asked);
    expect(days.map(({ Groups }) => Groups?.map(({ Keys }) => Keys))).toEqual([
      [["i-0123456789abcdef0"]],
      [["i-0123456789abcdef1"]],
    ]);
    const late = { ...question, TimePeriod: { Start: "2025-12-30", End: "2026-02-01" } };
    expect(await codeOf(client.send(new GetCostAndUsageCommand(late)))).toBe("ValidationException");
  });
});
