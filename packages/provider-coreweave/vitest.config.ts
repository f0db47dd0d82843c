import { configDefaults, mergeConfig } from "vitest/config";
import { shared } from "../../vitest.shared.ts";

// The contract suite runs on a real cluster, in a stage of its own: vitest.cluster.config.ts.
export default mergeConfig(shared, {
  test: { name: "provider-coreweave", exclude: [...configDefaults.exclude, "test/contract.test.ts"] },
});
