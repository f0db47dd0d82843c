import { defineConfig } from "tsup";
import { partOfZod } from "../../tsup.shared.ts";

export default defineConfig({
  ...partOfZod,
  entry: { index: "src/index.ts", "emulator/index": "emulator/index.ts" },
  format: ["esm"],
  dts: false,
  sourcemap: true,
  clean: true,
  target: "node22",
  // Without its prefix "node:test" would be a package named test.
  removeNodeProtocol: false,
});
