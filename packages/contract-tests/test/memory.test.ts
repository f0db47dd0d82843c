import { bare } from "../src/mutants/index.ts";
import { describeProviderContract } from "../src/vitest.ts";
import { memoryHarness } from "./memory-harness.ts";

const plain = memoryHarness();
describeProviderContract("memory", plain);
describeProviderContract("memory whose reads lag", memoryHarness({ readAfterWriteMs: 2_000, pageSize: 2 }));
describeProviderContract("memory that creates in two steps", memoryHarness({ creation: "two-step" }));
describeProviderContract("memory without capabilities", async () => bare(await plain()));
