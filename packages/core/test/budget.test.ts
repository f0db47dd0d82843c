import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { promisify } from "node:util";
import { gzipSync } from "node:zlib";
import { beforeAll, describe, expect, it } from "vitest";

const MOST_BYTES = 10_000;
const core = resolve(import.meta.dirname, "..");

/** What the build of esbuild answers, as far as it is read here. */
interface Bundle {
  readonly outputFiles: readonly { readonly contents: Uint8Array }[];
  readonly metafile: {
    readonly inputs: Readonly<Record<string, { readonly imports: readonly { readonly path: string }[] }>>;
  };
}
interface Esbuild {
  readonly build: (options: object) => Promise<Bundle>;
}

/** The builder that tsup brings: the same that makes what is published. */
function esbuild(): Esbuild {
  const require = createRequire(import.meta.url);
  const tsup: unknown = createRequire(require.resolve("tsup/package.json"))("esbuild");
  // esbuild's own entry; only `build` is used.
  return tsup as Esbuild;
}

function bundle(entry: string): Promise<Bundle> {
  return esbuild().build({
    entryPoints: [join(core, entry)],
    absWorkingDir: core,
    bundle: true,
    minify: true,
    format: "esm",
    platform: "node",
    target: "node22",
    write: false,
    metafile: true,
    logLevel: "silent",
    external: ["zod"],
  });
}

describe("the main entry", () => {
  let main: Bundle;
  beforeAll(async () => {
    main = await bundle("src/index.ts");
  });

  it(`is at most ${MOST_BYTES} bytes, minified and gzipped`, () => {
    const contents = main.outputFiles[0]?.contents ?? new Uint8Array();
    expect(contents.length).toBeGreaterThan(1000);
    expect(gzipSync(contents, { level: 9 }).length).toBeLessThanOrEqual(MOST_BYTES);
  });

  it("is made of core's own files and imports nothing else: no package, no node: module", () => {
    for (const [file, { imports }] of Object.entries(main.metafile.inputs)) {
      expect(file).toMatch(/^src\//);
      expect(file).not.toMatch(/^src\/schema\//);
      for (const { path } of imports) expect(path).toMatch(/^src\//);
    }
    expect(new TextDecoder().decode(main.outputFiles[0]?.contents)).not.toMatch(
      /\bfrom\s*"|\bimport\s*\(|\brequire\s*\(/,
    );
  });
});

it("importing it loads no built-in module; the first digest does", async () => {
  const folder = await mkdtemp(join(tmpdir(), "slipway-budget-"));
  try {
    const [main] = (await bundle("src/index.ts")).outputFiles;
    await writeFile(join(folder, "core.mjs"), main?.contents ?? "");
    await writeFile(join(folder, "empty.mjs"), "export {};\n");
    await writeFile(
      join(folder, "probe.mjs"),
      `await import("./empty.mjs");
       const seen = new Set(process.moduleLoadList);
       const loaded = () => process.moduleLoadList.filter((name) => !seen.has(name));
       const { nameFor } = await import("./core.mjs");
       const byImport = loaded();
       nameFor("o", "k");
       console.log(JSON.stringify({ byImport, byDigest: loaded().includes("NativeModule crypto") }));`,
    );
    const printed = await promisify(execFile)(process.execPath, [join(folder, "probe.mjs")]);
    expect(JSON.parse(printed.stdout)).toEqual({ byImport: [], byDigest: true });
  } finally {
    await rm(folder, { recursive: true });
  }
});

it("zod is imported in ./schema alone", async () => {
  const { metafile } = await bundle("src/schema/index.ts");
  const importers = Object.entries(metafile.inputs).filter(([, { imports }]) =>
    imports.some(({ path }) => path === "zod"),
  );
  expect(importers.length).toBeGreaterThan(0);
  for (const [file] of importers) expect(file).toMatch(/^src\/schema\//);
});

it("the package has no run-time dependency, and zod is an optional peer", () => {
  const manifest: unknown = JSON.parse(readFileSync(join(core, "package.json"), "utf8"));
  expect(manifest).not.toHaveProperty("dependencies");
  expect(manifest).not.toHaveProperty("optionalDependencies");
  expect(manifest).toMatchObject({ peerDependenciesMeta: { zod: { optional: true } }, sideEffects: false });
});
