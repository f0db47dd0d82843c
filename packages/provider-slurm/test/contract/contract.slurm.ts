import { describeProviderContract } from "@slipway/contract-tests/vitest";
import { afterAll } from "vitest";
import { type SlurmCluster, slurmCluster } from "../../src/testing/index.ts";
import { slurmHarness } from "./slurm-harness.ts";

// The suite makes one harness before any hook runs, so the first one starts the cluster.
let cluster: Promise<SlurmCluster> | undefined;

afterAll(async () => {
  await (await cluster)?.close();
}, 120_000);

// The projected run goes through a command prefix.
describeProviderContract(
  "slurm",
  slurmHarness(() => (cluster ??= slurmCluster())),
  { modes: ["plain"] },
);
