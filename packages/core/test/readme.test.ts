import { readFileSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { BUILTIN_CAPABILITIES, capabilityTable, ERROR_CODES } from "../src/index.ts";
import { COMPILERS, runCompiler } from "./compilers.ts";

const core = resolve(import.meta.dirname, "..");
const readme = readFileSync(join(core, "README.md"), "utf8");

/** The cells of every table row whose first cell is one of these. */
function rowsOf(names: readonly string[]): readonly (readonly string[])[] {
  const rows = readme.split("\n").map((line) =>
    line
      .split("|")
      .slice(1, -1)
      .map((cell) => cell.trim()),
  );
  return rows.filter(([first]) => first !== undefined && names.includes(first));
}

describe("the README", () => {
  it("has the error table as it is", () => {
    expect(rowsOf(Object.keys(ERROR_CODES))).toEqual(
      Object.entries(ERROR_CODES).map(([code, row]) => [code, row.category, row.retryable ? "yes" : "no", row.scope]),
    );
  });

  it("has the capability table as it is", () => {
    const rows = rowsOf(BUILTIN_CAPABILITIES.map((name) => `\`${name}\``));
    const quoted = (cell: string | undefined): string[] =>
      [...(cell ?? "").matchAll(/`(\w+)`/g)].map(([, name]) => name ?? "");
    expect(rows.map(([name]) => quoted(name)[0])).toEqual(BUILTIN_CAPABILITIES);
    for (const [index, capability] of BUILTIN_CAPABILITIES.entries()) {
      expect(quoted(rows[index]?.[1])).toEqual(Object.keys(capabilityTable[capability].methods));
      const [option] = Object.keys(capabilityTable[capability].spawn);
      expect(quoted(rows[index]?.[2])[0]).toBe(option);
    }
  });

  describe("examples", () => {
    let folder: string;
    beforeAll(async () => {
      folder = await mkdtemp(join(tmpdir(), "slipway-readme-"));
    });
    afterAll(() => rm(folder, { recursive: true, force: true }));

    it("compile", { timeout: 120_000 }, async () => {
      const examples = [...readme.matchAll(/```ts\n([\s\S]*?)```/g)].map(([, code]) => code ?? "");
      expect(examples.length).toBeGreaterThan(3);
      await Promise.all(examples.map((code, index) => writeFile(join(folder, `example${index}.mts`), code)));
      const compilerOptions = {
        noEmit: true,
        isolatedDeclarations: false,
        customConditions: ["@slipway/source"],
        typeRoots: [join(core, "node_modules/@types")],
        paths: {
          "@slipway/core": [join(core, "src/index.ts")],
          "@slipway/core/schema": [join(core, "src/schema/index.ts")],
        },
      };
      const config = { extends: resolve(core, "../../tsconfig.base.json"), compilerOptions, include: ["*.mts"] };
      await writeFile(join(folder, "tsconfig.json"), JSON.stringify(config));
      const { output } = await runCompiler(COMPILERS[2], "-p", folder);
      expect(output).toBe("");
    });
  });
});
