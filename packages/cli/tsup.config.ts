import { copyFile } from "node:fs/promises";
import { join } from "node:path";
import { defineConfig } from "tsup";

export default defineConfig({
  entry: { index: "src/index.ts", start: "src/start.ts" },
  format: ["esm"],
  dts: false,
  sourcemap: true,
  clean: true,
  target: "node22",
  // Without its prefix "node:test" would be a package named test.
  removeNodeProtocol: false,
  // What every command needs comes with the program, and only the parts that it uses (ADR 0058). Providers, and what one
  // command alone loads, stay packages.
  noExternal: [/^commander$/, /^@slipway\/(core|control)/],
  // Whoever passes commander on passes its licence on.
  onSuccess: async () => copyFile(join("node_modules", "commander", "LICENSE"), join("dist", "commander.LICENSE")),
});
