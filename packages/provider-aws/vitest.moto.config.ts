import type { ViteUserConfig } from "vitest/config";
import usual from "./vitest.config.ts";

// Apart from the other tests: it needs Python, and once the net.
const config: ViteUserConfig = {
  ...usual,
  test: {
    ...usual.test,
    name: "provider-aws on moto",
    include: ["test/moto/**/*.moto.ts"],
    globalSetup: ["test/moto/global-setup.ts"],
    // They share one moto, and each begins by emptying it.
    fileParallelism: false,
    testTimeout: 300_000,
    hookTimeout: 180_000,
    isolate: true,
    typecheck: { enabled: false },
  },
};

export default config;
