import { describeProviderContract } from "../src/vitest.ts";
import { memoryHarness } from "./memory-harness.ts";
import { bare } from "./mutants/index.ts";

const plain = memoryHarness();
describeProviderContract("memory", plain);
// How the remote behaves is behind the provider: projection cannot change it.
const modes = ["plain"] as const;
describeProviderContract("memory whose reads lag", memoryHarness({ readAfterWriteMs: 2_000, pageSize: 2 }), { modes });
describeProviderContract("memory that creates in two steps", memoryHarness({ creation: "two-step" }), { modes });
describeProviderContract("memory without capabilities", async () => bare(await plain()));
