import { fileURLToPath } from "node:url";
import type { ViteUserConfig } from "vitest/config";
import { shared } from "../../vitest.shared.ts";

// Apart from the other tests: it builds a real API server, which takes minutes and needs Go and etcd.
const config: ViteUserConfig = {
  ...shared,
  test: {
    ...shared.test,
    name: "provider-kubernetes on a real API server",
    include: ["test/contract.test.ts", "test/cluster/**/*.cluster.ts"],
    globalSetup: [fileURLToPath(import.meta.resolve("slipway-kubernetes-cluster/global-setup"))],
    testTimeout: 180_000,
    hookTimeout: 120_000,
    typecheck: { enabled: false },
  },
};

export default config;
