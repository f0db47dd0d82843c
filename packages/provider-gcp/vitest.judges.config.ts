import { fileURLToPath } from "node:url";
import type { ViteUserConfig } from "vitest/config";
import usual from "./vitest.config.ts";

// Apart from the other tests: it needs Python, and once the net.
const config: ViteUserConfig = {
  ...usual,
  test: {
    ...usual.test,
    name: "provider-gcp and its judges",
    include: ["test/judges/*.judge.ts", "test/two-processes.test.ts"],
    globalSetup: [fileURLToPath(import.meta.resolve("slipway-python-clients/global-setup"))],
    env: { SLIPWAY_RUNS: "1000" },
    testTimeout: 300_000,
    hookTimeout: 400_000,
    isolate: true,
    typecheck: { enabled: false },
  },
};

export default config;
