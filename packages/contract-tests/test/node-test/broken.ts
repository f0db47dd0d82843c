import type { Instance } from "@slipway/core";
import { answered } from "../../src/mutants/intercept.ts";
import { describeProviderContract } from "../../src/node-test.ts";
import { memoryHarness } from "../memory-harness.ts";

const factory = memoryHarness();
const mutate = answered<readonly Instance[]>("list", (found) => found.slice(0, 5));
describeProviderContract("memory", async () => mutate(await factory()), { modes: ["plain"] });
