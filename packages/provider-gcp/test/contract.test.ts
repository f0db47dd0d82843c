import { describeProviderContract } from "@slipway/contract-tests/vitest";
import { gcpHarness } from "./gcp-harness.ts";

describeProviderContract("gcp", gcpHarness());
describeProviderContract("gcp in one zone", gcpHarness({ zones: ["us-central1-b"] }));
