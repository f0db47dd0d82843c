import { describeProviderContract } from "@slipway/contract-tests/vitest";
import { adminOf } from "slipway-kubernetes-cluster";
import { expect, inject, test } from "vitest";
import { recorder } from "./cluster/open-api.ts";
import { kubernetesHarness } from "./kubernetes-harness.ts";

const { recorded, judged } = recorder();

describeProviderContract("kubernetes", kubernetesHarness(inject("cluster"), { recorded }));

test("every request and answer of the suite is valid for the server's own OpenAPI document", async () => {
  const { calls, kept, operations, failures } = await judged(adminOf(inject("cluster")));
  process.stdout.write(`judge openapi: ${calls} calls, ${kept} kept, ${operations.length} operations\n`);
  expect(failures).toEqual([]);
  expect(operations.length).toBeGreaterThanOrEqual(14);
});
