import { describeProviderContract } from "@slipway/contract-tests/vitest";
import { harness } from "./harness.ts";

describeProviderContract("memory", harness, {
  skips: [{ id: "costs.grouped", reason: "the remote groups by day alone", reviewBy: "2199-12-31" }],
});
