import { describeProviderContract } from "@slipway/contract-tests/vitest";
import { isolationsHere, localHarness } from "./local-harness.ts";

// The suite once for every isolation that is tested with.
for (const { isolation } of await isolationsHere()) {
  describeProviderContract(`local with ${isolation}`, localHarness(isolation));
}
