import { defineConfig } from "tsup";

export default defineConfig({
  entry: {
    index: "src/index.ts",
    vitest: "src/vitest.ts",
    "node-test": "src/node-test.ts",
    stores: "src/stores.ts",
    reach: "src/reach.ts",
    "workflow-engine": "src/workflow-engine.ts",
  },
  format: ["esm"],
  dts: false,
  sourcemap: true,
  clean: true,
  target: "node22",
  // Without its prefix "node:test" would be a package named test.
  removeNodeProtocol: false,
});
