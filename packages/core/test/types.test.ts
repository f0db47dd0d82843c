import { readdirSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { COMPILERS, runCompiler } from "./compilers.ts";

const project = join(import.meta.dirname, "types", "tsconfig.json");

describe.each(COMPILERS)("on TypeScript $version", (compiler) => {
  it("is that version", async () => {
    const { output } = await runCompiler(compiler, "--version");
    expect(output.trim()).toBe(`Version ${compiler.version}`);
  });

  // No error at all, and each `@ts-expect-error` met by one.
  it("keeps every promise of the types", { timeout: 300_000 }, async () => {
    const { output, exitCode } = await runCompiler(compiler, "-p", project);
    expect(output).toBe("");
    expect(exitCode).toBe(0);
  });

  it("would report a promise that broke", { timeout: 300_000 }, async () => {
    const folder = await mkdtemp(join(tmpdir(), "slipway-types-"));
    try {
      await writeFile(join(folder, "broken.ts"), "// @ts-expect-error nothing is wrong here\nlet fine = 1;\n");
      await writeFile(
        join(folder, "tsconfig.json"),
        JSON.stringify({
          compilerOptions: { noEmit: true, types: [], lib: ["es2024"], skipLibCheck: true },
          files: ["broken.ts"],
        }),
      );
      const { output, exitCode } = await runCompiler(compiler, "-p", folder);
      expect(output).toContain("error TS2578: Unused '@ts-expect-error' directive.");
      expect(exitCode).not.toBe(0);
    } finally {
      await rm(folder, { recursive: true });
    }
  });
});

it("compiles every file of the folder", async () => {
  const folder = join(import.meta.dirname, "types");
  const { output } = await runCompiler(COMPILERS[2], "-p", project, "--listFilesOnly");
  for (const name of readdirSync(folder)) {
    if (name.endsWith(".ts")) expect(output).toContain(join(folder, name));
  }
});
