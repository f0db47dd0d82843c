import { defineConfig, type ViteUserConfig } from "vitest/config";

// Without "module": under that name some packages hold files that Node itself cannot import.
const conditions = ["@slipway/source", "node", "development|production"];

/** What every package's vitest shares: siblings are read as source, type tests run with the others. */
export const shared: ViteUserConfig = defineConfig({
  resolve: { conditions },
  ssr: { resolve: { conditions } },
  test: {
    include: ["test/**/*.test.ts"],
    // Many tests start real processes, and the machine may be slow or busy: a limit is for what hangs.
    testTimeout: 30_000,
    hookTimeout: 30_000,
    typecheck: { enabled: true, include: ["test/**/*.test-d.ts"], tsconfig: "tsconfig.json" },
  },
});
