import { defineConfig } from "tsup";

export default defineConfig({
  entry: { index: "src/index.ts", "schema/index": "src/schema/index.ts" },
  format: ["esm"],
  // A program pays for the import at every start: a second file would cost more than all of the code in the first, and
  // white space is half of what is parsed. Names stay, for stack traces.
  splitting: false,
  esbuildOptions: (options) => {
    options.minifyWhitespace = true;
    options.minifySyntax = true;
  },
  dts: false,
  sourcemap: true,
  clean: true,
  target: "node22",
});
