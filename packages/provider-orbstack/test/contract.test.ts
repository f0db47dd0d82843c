import { describeProviderContract } from "@slipway/contract-tests/vitest";
import { orbstackHarness } from "./orbstack-harness.ts";

describeProviderContract("orbstack", orbstackHarness());
