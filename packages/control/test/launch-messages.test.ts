import { execFile } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";

const root = resolve(import.meta.dirname, "../../..");
const PRELUDE = `
import type { Instance, Provider, Snapshot } from "@slipway/core";
import { launch, memoryStore } from "@slipway/control";
declare const plain: Provider;
declare const gpus: Provider<Instance, Snapshot, "gpu">;
const store = memoryStore();
`;

/** What a user writes, and all that the compiler prints for it. */
const MISTAKES: readonly { readonly mistake: string; readonly code: string; readonly told: string }[] = [
  {
    mistake: "no store",
    code: `launch(gpus, { key: "k" });`,
    told: `TS2345: Argument of type '{ key: string; }' is not assignable to parameter of type '"this provider needs a store: launch(provider, options, { store })"'.`,
  },
  {
    mistake: "options of the launch, and no store among them",
    code: `launch(plain, { key: "k" }, { account: "a" });`,
    told: "TS2741: Property 'store' is missing in type '{ account: string; }' but required in type 'StoredLaunchOptions<Provider>'.",
  },
  {
    mistake: "a misspelt store",
    code: `launch(plain, { key: "k" }, { stroe: store });`,
    told: "TS2561: Object literal may only specify known properties, but 'stroe' does not exist in type 'StoredLaunchOptions<Provider>'. Did you mean to write 'store'?",
  },
  {
    mistake: "a misspelt option of the request",
    code: `launch(plain, { keyy: "k" }, { store });`,
    told: "TS2561: Object literal may only specify known properties, but 'keyy' does not exist in type 'SpawnOptionsOf<Provider>'. Did you mean to write 'key'?",
  },
];

let folder: string;
let output: string;
const fileOf = (index: number): string => `mistake${index}.mts`;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "slipway-launch-mistakes-"));
  const compilerOptions = {
    noEmit: true,
    declaration: false,
    declarationMap: false,
    sourceMap: false,
    isolatedDeclarations: false,
    noUnusedLocals: false,
    customConditions: ["@slipway/source"],
    typeRoots: [join(root, "packages/control/node_modules/@types")],
    paths: {
      "@slipway/core": [join(root, "packages/core/src/index.ts")],
      "@slipway/control": [join(root, "packages/control/src/index.ts")],
    },
  };
  const config = { extends: join(root, "tsconfig.base.json"), compilerOptions, include: ["*.mts"] };
  await writeFile(join(folder, "tsconfig.json"), JSON.stringify(config));
  await Promise.all(MISTAKES.map(({ code }, index) => writeFile(join(folder, fileOf(index)), `${PRELUDE}${code}\n`)));
  output = await new Promise((done) => {
    const compiler = join(root, "node_modules/typescript/bin/tsc");
    execFile(process.execPath, [compiler, "-p", folder], (_failed, stdout) => done(stdout));
  });
}, 300_000);
afterAll(() => rm(folder, { recursive: true, force: true }));

test.each(MISTAKES.map((row, index) => ({ ...row, file: fileOf(index) })))(
  "$mistake has its own message",
  ({ file, told }) => {
    const lines = output.split("\n").filter((line) => line.includes(`${file}(`));
    // One error of one line, not a cascade.
    expect(lines.map((line) => line.replace(/^.*: error /, ""))).toEqual([told]);
  },
);

test("nothing else is wrong", () => {
  expect(output.split("\n").filter((line) => line !== "")).toHaveLength(MISTAKES.length);
});
