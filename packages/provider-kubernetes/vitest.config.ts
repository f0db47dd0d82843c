import { configDefaults, mergeConfig } from "vitest/config";
import { shared } from "../../vitest.shared.ts";

// The contract suite runs on a real API server, in a stage of its own: vitest.cluster.config.ts.
export default mergeConfig(shared, {
  test: { name: "provider-kubernetes", exclude: [...configDefaults.exclude, "test/contract.test.ts"] },
});
