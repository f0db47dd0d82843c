import { defineConfig } from "tsup";

export default defineConfig({
  entry: {
    index: "src/index.ts",
    "gpu-names": "src/gpu-names.ts",
    "schema/index": "src/schema/index.ts",
    shapes: "src/shapes.ts",
  },
  format: ["esm"],
  // A program pays for the import at every start, and a second file costs it more than all of the code in the first.
  splitting: false,
  dts: false,
  sourcemap: true,
  clean: true,
  target: "node22",
  // Without its prefix "node:test" would be a package named test.
  removeNodeProtocol: false,
});
