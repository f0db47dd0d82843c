import type { HarnessFactory } from "@slipway/contract-tests";
import { memoryHarness } from "../../packages/contract-tests/test/memory-harness.ts";
import { appleContainerHarness } from "../../packages/provider-apple-container/test/apple-container-harness.ts";
import { awsHarness } from "../../packages/provider-aws/test/aws-harness.ts";
import { gcpHarness } from "../../packages/provider-gcp/test/gcp-harness.ts";
import { lambdaHarness } from "../../packages/provider-lambda/test/lambda-harness.ts";
import { isolationsHere, localHarness } from "../../packages/provider-local/test/local-harness.ts";
import { orbstackHarness } from "../../packages/provider-orbstack/test/orbstack-harness.ts";
import { runpodHarness } from "../../packages/provider-runpod/test/runpod-harness.ts";

// Local is proven with each isolation in its own tests; here with the first that this machine has.
const [isolation] = await isolationsHere();
if (isolation === undefined) throw new Error("this machine has no isolation at all");

/** Every provider of this repository, on its emulator where it has a remote. */
export const harnesses: {
  readonly memory: HarnessFactory;
  readonly local: HarnessFactory;
  readonly orbstack: HarnessFactory;
  readonly "apple-container": HarnessFactory;
  readonly lambda: HarnessFactory;
  readonly runpod: HarnessFactory;
  readonly aws: HarnessFactory;
  readonly gcp: HarnessFactory;
} = {
  memory: memoryHarness(),
  local: localHarness(isolation.isolation),
  orbstack: orbstackHarness(),
  "apple-container": appleContainerHarness(),
  lambda: lambdaHarness(),
  runpod: runpodHarness(),
  aws: awsHarness(),
  gcp: gcpHarness(),
};
