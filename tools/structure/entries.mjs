// What a package's main entry exports, and what it loads.
import path from "node:path";
import { providerPackages } from "./providers.mjs";

export const entryRules = [
  {
    name: "named-exports",
    *check(tree) {
      for (const { folder } of tree.packages) {
        const file = `${folder}/src/index.ts`;
        if (!tree.has(file)) continue;
        for (const { line } of tree.module(file).starExports) {
          yield { file, line, todo: "name what is exported: a public surface that grows by itself is not reviewed" };
        }
      }
    },
  },
  {
    name: "emulator-stays-out",
    *check(tree, { providers }) {
      for (const { folder } of providerPackages(tree, providers)) yield* emulatorImports(tree, folder);
    },
  },
  {
    name: "emulator-stands-alone",
    *check(tree, { providers }) {
      for (const { folder } of providerPackages(tree, providers)) yield* importsOfProvider(tree, folder);
    },
  },
];

/** An emulator that takes its words from the provider agrees with it by construction: it would judge nothing. */
function* importsOfProvider(tree, folder) {
  for (const file of tree.under(`${folder}/emulator`)) {
    for (const { specifier, line } of tree.module(file).imports) {
      const target = specifier.startsWith(".") ? path.posix.join(path.posix.dirname(file), specifier) : undefined;
      if (target?.startsWith(`${folder}/src/`)) {
        yield { file, line, todo: `"${specifier}" is the provider's: write here what the remote itself knows` };
      }
    }
  }
}

/** Follows the main entry through every module that it loads (types are erased, so they do not count). */
function* emulatorImports(tree, folder) {
  const entry = `${folder}/src/index.ts`;
  const seen = new Set([entry]);
  for (const file of seen) {
    if (!tree.has(file)) continue;
    for (const { specifier, line, kind } of tree.module(file).imports) {
      if (kind === "type") continue;
      const target = specifier.startsWith(".") ? path.posix.join(path.posix.dirname(file), specifier) : undefined;
      const inEmulator = target?.startsWith(`${folder}/emulator/`) ?? false;
      if (inEmulator || specifier === "@slipway/provider-kit/emulator") {
        yield {
          file,
          line,
          todo: `the main entry loads "${specifier}" through this: export emulators from ./emulator only`,
        };
      } else if (target) {
        seen.add(target);
      }
    }
  }
}
