import { execFile } from "node:child_process";
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

const docs = fileURLToPath(new URL("..", import.meta.url));

interface Block {
  readonly page: string;
  readonly line: number;
  readonly language: string;
  readonly code: string;
}

/** The other packages' own tests run their READMEs, and `npm run e2e` that of the example. */
const READMES: readonly string[] = [
  "README.md",
  "packages/cli/README.md",
  "packages/provider-kit/README.md",
  "packages/provider-local/README.md",
];

async function pagesBelow(folder: string): Promise<readonly string[]> {
  const entries = await readdir(folder, { withFileTypes: true, recursive: true });
  return entries
    .filter((entry) => entry.isFile() && entry.name.endsWith(".md"))
    .map((entry) => join(entry.parentPath, entry.name))
    .filter((path) => !/node_modules|\.vitepress/.test(path));
}

async function blocks(): Promise<readonly Block[]> {
  const found: Block[] = [];
  for (const path of [...(await pagesBelow(docs)), ...READMES.map((name) => join(docs, "..", name))]) {
    const text = await readFile(path, "utf8");
    for (const match of text.matchAll(/^```(\w+)[^\n]*\n([\s\S]*?)^```$/gm)) {
      const line = text.slice(0, match.index).split("\n").length;
      found.push({ page: relative(docs, path), line, language: match[1] ?? "", code: match[2] ?? "" });
    }
  }
  return found;
}

const all = await blocks();
const typed = all.filter(({ language }) => ["ts", "js"].includes(language));
let folder: string;
let complaints: string;

/** What the blocks of a page take for granted, in words around them. */
const GIVEN: Readonly<Record<string, string>> = {
  "../packages/provider-kit/README.md": `
import type { Clock, Provider, RuntimeEvent } from "@slipway/core";
declare const clock: Clock;
declare const onEvent: (event: RuntimeEvent) => void;
declare const signal: AbortSignal;
declare const config: string;
declare const token: string;
declare const provider: Provider;
declare const runMyControlPlane: (provider: Provider) => Promise<void>;
`,
};

/** Alone, or behind the blocks before it on its page: either has to compile. */
const fileOf = (index: number, kind: "alone" | "after"): string => `block-${index}-${kind}.ts`;

/** A block whose first line is `// name.ts` is that file: other blocks of its page may import it. */
const nameOf = ({ code }: Block): string | undefined => /^\/\/ ([\w-]+\.ts)\b/.exec(code)?.[1];

function behindItsPage(block: Block): string {
  const before = typed.filter(({ page, line }) => page === block.page && line < block.line);
  return `${[...before, block].map(({ code }) => code).join("\n")}\nexport {};\n`;
}

beforeAll(async () => {
  // Beside the package's own: there the packages are found.
  folder = await mkdtemp(join(docs, ".blocks-"));
  for (const [index, block] of typed.entries()) {
    await writeFile(join(folder, fileOf(index, "alone")), `${GIVEN[block.page] ?? ""}${block.code}\nexport {};\n`);
    await writeFile(join(folder, fileOf(index, "after")), behindItsPage(block));
    const name = nameOf(block);
    if (name !== undefined) await writeFile(join(folder, name), block.code);
  }
  const settings = { extends: "../../tsconfig.base.json", include: ["*.ts"] };
  // Against the packages as they are built, which is what a reader has: their sources would all be checked once more.
  const options = { noEmit: true, isolatedDeclarations: false, noUnusedLocals: false };
  await writeFile(join(folder, "tsconfig.json"), JSON.stringify({ ...settings, compilerOptions: options }));
  const tsc = join(docs, "..", "node_modules", ".bin", "tsc");
  complaints = await promisify(execFile)(tsc, ["-p", folder, "--pretty", "false"], { maxBuffer: 2 ** 26 }).then(
    ({ stdout }) => stdout,
    (error: { readonly stdout: string }) => error.stdout,
  );
}, 120_000);
afterAll(() => rm(folder, { recursive: true, force: true }));

const saidOf = (index: number, kind: "alone" | "after"): readonly string[] =>
  complaints.split("\n").filter((line) => line.includes(fileOf(index, kind)));

describe("every TypeScript block compiles", () => {
  test.each(typed.map((block, index) => ({ index, name: `${block.page}:${block.line}` })))("$name", ({ index }) => {
    const alone = saidOf(index, "alone");
    const after = saidOf(index, "after");
    expect(alone.length === 0 ? alone : after).toEqual([]);
  });

  test("and the check sees them: one that is wrong would be found", () => {
    expect(typed.length).toBeGreaterThan(8);
    expect(complaints).not.toMatch(/error TS(?:5\d{3}|6\d{3}|18003)/);
  });
});

// Shell blocks of these are run as they are, by `npm run e2e` and the tests of the packages.
const RUN: readonly string[] = ["first-hour.md"];

describe("every shell block is one", () => {
  const shell = all.filter(({ language }) => language === "sh");
  test.each(shell.map((block) => ({ ...block, name: `${block.page}:${block.line}` })))("$name", async ({ code }) => {
    const { stderr } = await promisify(execFile)("bash", ["-n", "-c", code]);
    expect(stderr).toBe("");
  });
  test("and the first hour is run", () => {
    expect(shell.filter(({ page }) => RUN.includes(page)).length).toBeGreaterThan(5);
  });
});

test("no page has a block in a language that nobody checks", () => {
  const languages = new Set(all.map(({ language }) => language));
  expect([...languages].filter((language) => !["ts", "js", "sh", "json", "text", "toml"].includes(language))).toEqual(
    [],
  );
});
