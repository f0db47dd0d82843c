import { describeProviderContract } from "@slipway/contract-tests/vitest";
import { gcpHarness } from "./gcp-harness.ts";

describeProviderContract("gcp", gcpHarness());
// How the remote behaves is behind the provider: projection cannot change it.
describeProviderContract("gcp in one zone", gcpHarness({ zones: ["us-central1-b"] }), { modes: ["plain"] });
