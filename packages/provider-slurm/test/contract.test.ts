import { describeProviderContract } from "@slipway/contract-tests/vitest";
import { afterAll, beforeAll, describe, test } from "vitest";
import { missingTools, type SlurmCluster, slurmCluster } from "../src/testing/index.ts";
import { slurmHarness } from "./slurm-harness.ts";

const missing = missingTools();
const isRequired = process.env["SLIPWAY_REQUIRE_TOOLS"] === "1";

if (missing !== undefined && !isRequired) {
  describe("slurm", () => test.skip(`the contract on a real cluster: ${missing}`));
} else {
  let cluster: SlurmCluster | undefined;
  beforeAll(async () => {
    cluster = await slurmCluster();
  }, 60_000);
  afterAll(async () => {
    await cluster?.close();
  }, 60_000);
  describeProviderContract(
    "slurm",
    slurmHarness(() => {
      if (cluster === undefined) throw new Error("the cluster was not started");
      return cluster;
    }),
  );
}
