import { execFile } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type PublicFunction, publicFunctions } from "./public-functions.ts";

const docs = fileURLToPath(new URL("..", import.meta.url));
const run = promisify(execFile);

/** What an example may use without saying where it is from. */
const GIVEN: Readonly<Record<string, string>> = {
  provider: `import * as core from "@slipway/core";
import { memory, memoryWorld } from "@slipway/provider-memory";
const world = memoryWorld({ clock: core.systemClock, bootMs: 0, bootstrapMs: 0, terminateMs: 0, latencyMs: 0, readAfterWriteMs: 0 });
const provider = memory({ owner: "me", world });`,
  store: 'import { memoryStore } from "@slipway/control";\nconst store = memoryStore();',
  machines: 'import { local } from "@slipway/provider-local";\nconst machines = local({ owner: "me" });',
  signal: "const signal = new AbortController().signal;",
};

const KIT =
  "a part of a provider: packages/create-provider/template and examples/third-party-provider use it in a program";
const SUITE = "for harnesses: docs/guide/writing-a-provider.md and the README of contract-tests show it in a program";
/** Entries whose functions need none, and why. */
const WITHOUT: Readonly<Record<string, string>> = {
  ...Object.fromEntries(
    [
      "bootstrap",
      "chaos",
      "cluster",
      "command",
      "driver",
      "emulator",
      "errors",
      "filters",
      "hooks",
      "http",
      "limits",
      "sandbox",
    ].map((part) => [`@slipway/provider-kit/${part}`, KIT]),
  ),
  ...Object.fromEntries(
    ["", "/vitest", "/node-test", "/stores", "/reach", "/workflow-engine"].map((part) => [
      `@slipway/contract-tests${part}`,
      SUITE,
    ]),
  ),
};

/** These are called by Slipway, by the command or by `npm create`, never by a user's program. */
const CALLED = new Set(["register", "writePackage"]);

const functions = publicFunctions();
const wanting = functions.filter(({ from, name }) => !Object.hasOwn(WITHOUT, from) && !CALLED.has(name));
const examples = wanting.flatMap((of) => of.examples.map((code) => ({ of, code, name: `${of.from} ${of.name}` })));

const uses = (code: string, name: string): boolean => new RegExp(`(?<![\\w/@.-])${name}(?![\\w-])`).test(code);

/** `expression; // => value` is looked at where the example is run. */
const ANSWER = /^(\s*)(.+?);? \/\/ => (.+)$/gm;

function programOf({ name, from }: PublicFunction, code: string): string {
  const given = Object.entries(GIVEN).filter(
    ([word, lines]) => uses(code, word) && !new RegExp(`(?:const|let) ${word}\\b`).test(code) && !uses(lines, name),
  );
  const imported = new RegExp(`import [^;]*\\b${name}\\b`).test(code) ? "" : `import { ${name} } from "${from}";`;
  const checked = code.replaceAll(ANSWER, "$1deepStrictEqual($2, $3);");
  const assert = checked === code ? "" : 'import { deepStrictEqual } from "node:assert/strict";';
  return [assert, imported, ...given.map(([, lines]) => lines), checked, "export {};"].join("\n");
}

let folder: string;
let complaints: string;
const fileOf = (index: number): string => `example-${index}.ts`;

beforeAll(async () => {
  // Beside the package's own: there the packages are found.
  folder = await mkdtemp(join(docs, ".examples-"));
  for (const [index, { of, code }] of examples.entries())
    await writeFile(join(folder, fileOf(index)), programOf(of, code));
  await writeFile(join(folder, "wrong.ts"), 'export const wrong: number = "";\n');
  // Against the packages as they are built, which is what a reader has: their sources would all be checked once more.
  const compilerOptions = { noEmit: true, isolatedDeclarations: false, noUnusedLocals: false };
  const settings = { extends: "../../tsconfig.base.json", include: ["*.ts"], compilerOptions };
  await writeFile(join(folder, "tsconfig.json"), JSON.stringify(settings));
  const tsc = join(docs, "..", "node_modules", ".bin", "tsc");
  complaints = await run(tsc, ["-p", folder, "--pretty", "false"], { maxBuffer: 2 ** 26 }).then(
    ({ stdout }) => stdout,
    (error: { readonly stdout: string }) => error.stdout,
  );
}, 300_000);
afterAll(() => rm(folder, { recursive: true, force: true }));

test("every public function has an example", () => {
  expect(wanting.filter(({ examples }) => examples.length === 0).map(({ from, name }) => `${from} ${name}`)).toEqual(
    [],
  );
  expect(wanting.length).toBeGreaterThan(100);
});

test("an entry that needs none is one", () => {
  const entries = new Set(functions.map(({ from }) => from));
  expect(Object.keys(WITHOUT).filter((entry) => !entries.has(entry))).toEqual([]);
});

describe("an example compiles", () => {
  test.each(examples.map(({ name, code }, index) => ({ name, code, index })))("$name", ({ code, index }) => {
    expect(code.trim()).not.toBe("");
    expect(complaints.split("\n").filter((line) => line.includes(fileOf(index)))).toEqual([]);
  });
  test("and the check sees them: a wrong one would be found", () => {
    expect(complaints).not.toMatch(/error TS(?:5\d{3}|6\d{3}|18003)/);
    expect(complaints).toContain("wrong.ts");
  });
});

test("what an example says it answers is what it answers", async () => {
  const told = examples.flatMap(({ code }, index) => (code.match(ANSWER) === null ? [] : [fileOf(index)]));
  expect(told.length).toBeGreaterThan(10);
  const all = join(folder, "all.ts");
  await writeFile(all, `${told.map((file) => `await import("./${file}");`).join("\n")}\nconsole.log("all");\n`);
  const { stdout } = await run(process.execPath, ["--conditions=@slipway/source", "--no-warnings", all], {
    timeout: 120_000,
  });
  expect(stdout.trim().split("\n").at(-1)).toBe("all");
});
