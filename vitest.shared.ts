import { defineConfig, type ViteUserConfig } from "vitest/config";

const conditions = ["@slipway/source", "module", "node", "development|production"];

/** What every package's vitest shares: siblings are read as source, type tests run with the others. */
export const shared: ViteUserConfig = defineConfig({
  resolve: { conditions },
  ssr: { resolve: { conditions } },
  test: {
    include: ["test/**/*.test.ts"],
    typecheck: { enabled: true, include: ["test/**/*.test-d.ts"], tsconfig: "tsconfig.json" },
  },
});
