import { describeProviderContract } from "@slipway/contract-tests/vitest";
import { harness } from "./harness.ts";

describeProviderContract("__NAME__", harness);
