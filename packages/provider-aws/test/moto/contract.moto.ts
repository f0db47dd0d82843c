import { describeProviderContract } from "@slipway/contract-tests/vitest";
import { inject } from "vitest";
import { motoHarness } from "./moto-harness.ts";
import { MOTO_SKIPS } from "./skips.ts";

describeProviderContract("aws on moto", motoHarness(inject("motoUrl")), { skips: MOTO_SKIPS });
