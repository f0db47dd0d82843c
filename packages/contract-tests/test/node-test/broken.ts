import type { Instance } from "@slipway/core";
import { describeProviderContract } from "../../src/node-test.ts";
import { memoryHarness } from "../memory-harness.ts";
import { answered } from "../mutants/intercept.ts";

const factory = memoryHarness();
const mutate = answered<readonly Instance[]>("list", (found) => found.slice(0, 5));
describeProviderContract("memory", async () => mutate(await factory()), { modes: ["plain"] });
