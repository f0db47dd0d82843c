import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { COMPILERS, runCompiler } from "./compilers.ts";
import { MISTAKE_PRELUDE, MISTAKES } from "./mistakes.ts";

const core = resolve(import.meta.dirname, "..");
let folder: string;

const fileOf = (index: number): string => `mistake${index}.mts`;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "slipway-mistakes-"));
  const compilerOptions = {
    noEmit: true,
    declaration: false,
    declarationMap: false,
    sourceMap: false,
    isolatedDeclarations: false,
    noUnusedLocals: false,
    customConditions: ["@slipway/source"],
    typeRoots: [join(core, "node_modules/@types")],
    paths: { "@slipway/core": [join(core, "src/index.ts")], subject: [join(core, "test/types/subject.ts")] },
  };
  const config = { extends: resolve(core, "../../tsconfig.base.json"), compilerOptions, include: ["*.mts"] };
  await writeFile(join(folder, "tsconfig.json"), JSON.stringify(config));
  await Promise.all(
    MISTAKES.map(({ code }, index) => writeFile(join(folder, fileOf(index)), `${MISTAKE_PRELUDE}${code}\n`)),
  );
});
afterAll(() => rm(folder, { recursive: true, force: true }));

/** The text of each file's errors, without its place. */
function messagesByFile(output: string): Map<string, string> {
  const messages = new Map<string, string>();
  let current = "";
  for (const line of output.split("\n")) {
    const head = /^(?:.*[\\/])?(mistake\d+\.mts)\(\d+,\d+\): error (.*)$/.exec(line);
    if (head?.[1] !== undefined && head[2] !== undefined) {
      current = head[1];
      messages.set(current, messages.has(current) ? `${messages.get(current)}\n${head[2]}` : head[2]);
    } else if (line !== "") {
      messages.set(current, `${messages.get(current)}\n${line}`);
    }
  }
  return messages;
}

describe.each(COMPILERS)("a user of TypeScript $version", (compiler) => {
  let messages: Map<string, string>;
  beforeAll(async () => {
    messages = messagesByFile((await runCompiler(compiler, "-p", folder)).output);
  }, 300_000);

  it("gets messages from the mistakes alone", () => {
    expect([...messages.keys()].sort()).toEqual(MISTAKES.map((_, index) => fileOf(index)).sort());
  });

  it.each(MISTAKES.map((row, index) => ({ ...row, file: fileOf(index) })))(
    "is told of $mistake",
    ({ file, begins, ends }) => {
      const message = messages.get(file) ?? "";
      if (begins !== undefined) expect(message.split("\n")[0]).toBe(begins);
      expect(message.slice(-ends.length)).toBe(ends);
      // One error, not a cascade.
      expect(message.match(/^TS\d+:/gm)).toHaveLength(1);
    },
  );
});
