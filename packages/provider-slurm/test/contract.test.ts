import { describeProviderContract } from "@slipway/contract-tests/vitest";
import { afterAll, describe } from "vitest";
import { missingTools, type SlurmCluster, slurmCluster } from "../src/testing/index.ts";
import { slurmHarness } from "./slurm-harness.ts";

const missing = missingTools();
const isSkipped = missing !== undefined && process.env["SLIPWAY_REQUIRE_TOOLS"] !== "1";

// The suite makes one harness before any hook runs, so the first one starts the cluster.
let cluster: Promise<SlurmCluster> | undefined;

describe.skipIf(isSkipped)(isSkipped ? `a real cluster (skipped: ${missing})` : "a real cluster", () => {
  afterAll(async () => {
    await (await cluster)?.close();
  }, 60_000);
  // A skipped group is collected all the same, and then nothing may start.
  const describeContract = isSkipped ? () => undefined : describeProviderContract;
  describeContract(
    "slurm",
    slurmHarness(() => (cluster ??= slurmCluster())),
  );
});
