import type { ViteUserConfig } from "vitest/config";
import { shared } from "../../vitest.shared.ts";

// Without "module": under that name the SDK's own packages hold files that Node itself cannot import.
const conditions = ["@slipway/source", "node", "development|production"];

const config: ViteUserConfig = {
  ...shared,
  resolve: { conditions },
  ssr: { resolve: { conditions } },
  test: { ...shared.test, name: "provider-aws" },
};

export default config;
