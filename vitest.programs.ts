import { mkdir, mkdtemp, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { build } from "tsup";
import { bundledPrograms } from "./vitest.shared.ts";

/**
 * Before the tests of a package whose emulator is a program: bundles its sources into one file, since some tests start it a
 * hundred times. Always anew, and in one step, because two runs may do it at the same time.
 */
export default async function bundleProgram({ config }: { readonly config: { readonly root: string } }): Promise<void> {
  const source = join(config.root, "emulator", "executable.ts");
  await mkdir(bundledPrograms, { recursive: true });
  const fresh = await mkdtemp(`${bundledPrograms}-`);
  try {
    await build({
      entry: { program: source },
      config: false,
      silent: true,
      format: ["esm"],
      target: "node24",
      outDir: fresh,
      outExtension: () => ({ js: ".mjs" }),
      splitting: false,
      // None of these programs starts a machine, so none loads ssh2, whose native parts cannot be bundled.
      external: ["ssh2"],
      noExternal: [/^(?!ssh2$)/],
      removeNodeProtocol: false,
      esbuildOptions: (options) => {
        options.conditions = ["@slipway/source"];
      },
    });
    const name = `${source.replaceAll(/[^A-Za-z0-9]+/g, "-")}.mjs`;
    await rename(join(fresh, "program.mjs"), join(bundledPrograms, name));
  } finally {
    await rm(fresh, { recursive: true, force: true });
  }
}
