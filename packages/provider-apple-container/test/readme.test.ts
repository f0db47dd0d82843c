import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { appleContainer, appleContainerErrorTable } from "../src/index.ts";
import { type EmulatedProgram, emulatedProgram } from "./emulated-program.ts";

const readme = await readFile(new URL("../README.md", import.meta.url), "utf8");
const blocks = [...readme.matchAll(/```ts ?(\w*)\n([\s\S]*?)```/g)].map(([, name, code = ""]) => ({
  name: name === "" ? "instance" : name,
  code,
}));

describe("the examples run as they are printed, and print what they say", () => {
  let emulated: EmulatedProgram;
  let folder: string;
  let printed: string[];

  beforeEach(async () => {
    emulated = await emulatedProgram();
    // Beside the tests: the packages are found from there.
    folder = await mkdtemp(fileURLToPath(new URL("./.readme-", import.meta.url)));
    printed = [];
    process.env["SLIPWAY_CONTAINER"] = emulated.path;
    const print = (...values: unknown[]): void => void printed.push(values.map(String).join(" "));
    Object.assign(globalThis, { print, kubeconfigPath: join(emulated.directory, "kubeconfig") });
  });
  afterEach(async () => {
    delete process.env["SLIPWAY_CONTAINER"];
    Reflect.deleteProperty(globalThis, "print");
    Reflect.deleteProperty(globalThis, "kubeconfigPath");
    await emulated.close();
    await rm(folder, { recursive: true, force: true });
  });

  test.each(blocks)("$name", { timeout: 120_000 }, async ({ code }) => {
    await writeFile(`${folder}/example.ts`, code.replaceAll("console.log(", "print("));
    await import(`${folder}/example.ts`);
    const said = [...code.matchAll(/console\.log\(.*\); \/\/ (.+)/g)].map(([, text = ""]) => text.replace("…", ""));
    expect(said.length).toBeGreaterThan(0);
    for (const text of said) expect(printed.some((line) => line === text || line.startsWith(text))).toBe(true);
  });
});

test("the tables name every capability, every code of the error table and every limit", () => {
  const provider = appleContainer({ owner: "docs", variables: {} });
  for (const [capability, on] of Object.entries(provider.capabilities)) {
    expect(readme).toContain(`| ${capability} | ${on ? "yes" : "no"} |`);
  }
  for (const { code } of appleContainerErrorTable) expect(readme).toContain(code);
  expect(readme).toContain(`| labels | ${provider.limits.maxLabels};`);
  expect(readme).toContain(`${provider.limits.nameMaxLength} characters`);
});
