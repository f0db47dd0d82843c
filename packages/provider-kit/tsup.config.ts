import { defineConfig } from "tsup";

export default defineConfig({
  entry: {
    "command/index": "src/command/index.ts",
    "driver/index": "src/driver/index.ts",
    "errors/index": "src/errors/index.ts",
    "filters/index": "src/filters/index.ts",
    "hooks/index": "src/hooks/index.ts",
    "http/index": "src/http/index.ts",
    "limits/index": "src/limits/index.ts",
    "bootstrap/index": "src/bootstrap/index.ts",
    "sandbox/index": "src/sandbox/index.ts",
    "emulator/index": "src/emulator/index.ts",
    "chaos/index": "src/chaos/index.ts",
    "cluster/index": "src/cluster/index.ts",
  },
  format: ["esm"],
  dts: false,
  sourcemap: true,
  clean: true,
  target: "node22",
  // Without its prefix "node:test" would be a package named test.
  removeNodeProtocol: false,
});
