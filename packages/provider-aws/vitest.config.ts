import type { ViteUserConfig } from "vitest/config";
import { inSharedWorkers } from "../../vitest.shared.ts";

// Without "module": under that name the SDK's own packages hold files that Node itself cannot import.
const conditions = ["@slipway/source", "node", "development|production"];

const config: ViteUserConfig = {
  ...inSharedWorkers,
  resolve: { conditions },
  ssr: { resolve: { conditions } },
  test: { ...inSharedWorkers.test, name: "provider-aws" },
};

export default config;
