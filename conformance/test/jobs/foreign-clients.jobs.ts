import { serve } from "@slipway/provider-aws/emulator";
import { machinesMissing } from "@slipway/provider-kit/emulator";
import { serve as serveLambda } from "@slipway/provider-lambda/emulator";
import { serve as serveRunpod } from "@slipway/provider-runpod/emulator";
import { beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { runForeign } from "./foreign/python.ts";
import { runpodMcp } from "./foreign/runpod-mcp.ts";

const missing = await machinesMissing("light");
if (missing !== null && process.env["SLIPWAY_REQUIRE_TOOLS"] === "1") throw new Error(missing);

// Anybody else's machines are not on port 22, and EC2 has no other.
describe.skipIf(missing !== null || process.getuid?.() !== 0)("a client that nobody here wrote", () => {
  let runpodProgram: string;
  beforeAll(async () => {
    runpodProgram = await runpodMcp();
  }, 400_000);

  it("launches with boto3, logs in with paramiko and reads what the user data wrote", async () => {
    const served = await serve({ machines: "light", bootMs: 0, endMs: 0, stopMs: 0, limits: null });
    onTestFinished(served.close);
    // All that boto3 knows of the place: it reads no AWS_REGION.
    expect(served.variables).toMatchObject({ AWS_DEFAULT_REGION: served.variables["AWS_REGION"] });
    const seen = await runForeign("ec2_client.py", served.variables);
    expect(seen).toEqual({
      address: expect.stringMatching(/^127\./),
      made: "made by the user data\n",
      exit_code: 7,
      is_whole: true,
      after_reboot: "made by the user data\n",
      console: true,
      address_when_stopped: null,
    });
  });

  it("launches with lambda-cloud-cli, logs in with paramiko and reads what the user data wrote", async () => {
    const served = await serveLambda({ machines: "light", bootMs: 0, endMs: 0, limits: null });
    onTestFinished(served.close);
    const seen = await runForeign("lambda_client.py", served.variables);
    expect(seen).toEqual({
      launched: true,
      exit_code: 7,
      made: "made by the user data\n",
      listed: [true, true],
      terminated: true,
      left: [false, false],
    });
  });

  it("rents a pod with @runpod/mcp-server, logs in with paramiko and reads what its command wrote", async () => {
    const served = await serveRunpod({
      ...{ machines: "light", rates: null, latencyMs: 0, provisionMs: 0, pullMs: 0, directMs: 0, listLagMs: 0 },
      freshNotFoundMs: 0,
    });
    onTestFinished(served.close);
    const PATH = process.env["PATH"] ?? "";
    const variables = { ...served.variables, PATH, NODE: process.execPath, RUNPOD_MCP: runpodProgram };
    const seen = await runForeign("runpod_client.py", variables);
    // It names no count of GPUs.
    expect(seen).toEqual({ keys: 1, gpus: 1, made: "made by its command\n", exit_code: 7, left: [], ended: 0 });
  });

  it("is shown no address where there are no machines", async () => {
    const served = await serve({ machines: "none", bootMs: 0, limits: null });
    onTestFinished(served.close);
    expect(served.machines).toMatch(/^none/);
    const id = served.emulator.control.addUnmanaged();
    const url = `${served.baseUrl}/`;
    const body = "Action=DescribeInstances&Version=2016-11-15";
    const authorization = `AWS4-HMAC-SHA256 Credential=${served.variables["AWS_ACCESS_KEY_ID"]}/20261129/us-east-1/ec2/aws4_request, SignedHeaders=host, Signature=0`;
    const headers = { authorization, "content-type": "application/x-www-form-urlencoded" };
    const text = await (await fetch(url, { method: "POST", headers, body })).text();
    expect(text).toContain(id.split("/").at(-1));
    expect(text).not.toContain("<ipAddress>");
  });
});
