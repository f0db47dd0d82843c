import { describeProviderContract } from "@slipway/contract-tests/vitest";
import { gcpHarness } from "./gcp-harness.ts";

describeProviderContract("gcp", gcpHarness());
