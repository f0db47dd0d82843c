import { describeProviderContract } from "@slipway/contract-tests/vitest";
import { awsHarness } from "./aws-harness.ts";

describeProviderContract("aws", awsHarness());
