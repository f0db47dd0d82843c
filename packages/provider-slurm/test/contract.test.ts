import { describeProviderContract } from "@slipway/contract-tests/vitest";
import { afterAll, describe, test } from "vitest";
import { missingTools, type SlurmCluster, slurmCluster } from "../src/testing/index.ts";
import { slurmHarness } from "./slurm-harness.ts";

const missing = missingTools();
const isRequired = process.env["SLIPWAY_REQUIRE_TOOLS"] === "1";

if (missing !== undefined && !isRequired) {
  describe("slurm", () => test.skip(`the contract on a real cluster: ${missing}`));
} else {
  // The suite makes one harness before any hook runs, so the first one starts the cluster.
  let cluster: Promise<SlurmCluster> | undefined;
  afterAll(async () => {
    await (await cluster)?.close();
  }, 60_000);
  describeProviderContract(
    "slurm",
    slurmHarness(() => (cluster ??= slurmCluster())),
  );
}
