import { describeProviderContract } from "@slipway/contract-tests/vitest";
import { runpodHarness } from "./runpod-harness.ts";

describeProviderContract("runpod", runpodHarness());
describeProviderContract(
  "runpod whose reads lag",
  runpodHarness({ listLagMs: 4_000, freshNotFoundMs: 2_000, pageSize: 2 }),
);
describeProviderContract("runpod before pages came", runpodHarness({ pagination: false, rates: null }));
