import { describeProviderContract } from "@slipway/contract-tests/vitest";
import { runpodHarness } from "./runpod-harness.ts";

describeProviderContract("runpod", runpodHarness());
// How the remote behaves is behind the provider: projection cannot change it.
const modes = ["plain"] as const;
describeProviderContract(
  "runpod whose reads lag",
  runpodHarness({ listLagMs: 4_000, freshNotFoundMs: 2_000, pageSize: 2 }),
  { modes },
);
describeProviderContract("runpod before pages came", runpodHarness({ pagination: false, rates: null }), { modes });
