import { describeProviderContract } from "@slipway/contract-tests/vitest";
import { lambdaHarness } from "./lambda-harness.ts";

describeProviderContract("lambda", lambdaHarness());
