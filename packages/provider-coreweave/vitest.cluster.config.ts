import { fileURLToPath } from "node:url";
import type { ViteUserConfig } from "vitest/config";
import { shared } from "../../vitest.shared.ts";

// The cluster of provider-kubernetes. What no profile can change is proven there, and is not proven again.
const config: ViteUserConfig = {
  ...shared,
  test: {
    ...shared.test,
    name: "provider-coreweave on a real cluster",
    include: ["test/contract.test.ts"],
    testNamePattern: /(cancellation|capabilities|costs|errors|gpu|hooks|package|regions|spawn|volumes)\./,
    globalSetup: [fileURLToPath(import.meta.resolve("slipway-kubernetes-cluster/global-setup"))],
    testTimeout: 120_000,
    hookTimeout: 120_000,
    typecheck: { enabled: false },
  },
};

export default config;
