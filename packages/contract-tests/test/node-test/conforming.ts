import { describeProviderContract } from "../../src/node-test.ts";
import { memoryHarness } from "../memory-harness.ts";

describeProviderContract("memory", memoryHarness());
