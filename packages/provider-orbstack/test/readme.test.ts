import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import { fileURLToPath } from "node:url";
import type { EmulatorProgram } from "@slipway/provider-kit/emulator";
import { afterAll, beforeAll, expect, test } from "vitest";
import { serve } from "../emulator/index.ts";
import { orbstack, orbstackErrorTable } from "../src/index.ts";

const readme = await readFile(new URL("../README.md", import.meta.url), "utf8");
const block = (title: string): string =>
  new RegExp(`## ${title}[\\s\\S]*?\`\`\`ts\\n([\\s\\S]*?)\`\`\``).exec(readme)?.[1] ?? "";
const HOME = process.env["HOME"];
const SPEED = 200;

let emulated: EmulatorProgram;
beforeAll(async () => {
  emulated = await serve({ speed: SPEED });
});
afterAll(() => emulated.close());

/** Runs an example as it stands, and answers what it printed and what it says that it prints. */
async function run(
  example: string,
): Promise<{ readonly printed: readonly string[]; readonly said: readonly string[] }> {
  const folder = await mkdtemp(fileURLToPath(new URL("./.readme-", import.meta.url)));
  const printed: string[] = [];
  const said = [...example.matchAll(/console\.log\(.*\); \/\/ (.+)/g)].map(([, text = ""]) => text);
  try {
    process.env["SLIPWAY_ORBCTL"] = emulated.program;
    process.env["HOME"] = dirname(emulated.program);
    const body = example.replaceAll("console.log(", "print(");
    const source = `declare global { var print: (...values: unknown[]) => void }\n${body}\nexport {};\n`;
    await writeFile(`${folder}/example.ts`, source);
    Object.assign(globalThis, { print: (...values: unknown[]) => printed.push(values.map(String).join(" ")) });
    await import(`${folder}/example.ts`);
  } finally {
    Reflect.deleteProperty(globalThis, "print");
    delete process.env["SLIPWAY_ORBCTL"];
    process.env["HOME"] = HOME;
    await rm(folder, { recursive: true, force: true });
  }
  return { printed, said };
}

test("the example runs as it is printed, with the emulator as the program, and prints what it says", async () => {
  const { printed, said } = await run(block("Example"));
  expect(said).toHaveLength(3);
  expect(printed).toEqual(said);
}, 120_000);

test("the example of chaos runs as it is printed", async () => {
  const { printed, said } = await run(block("Chaos in your own suite"));
  expect(said).toEqual(["3", "7"]);
  expect(printed).toEqual(said);
}, 120_000);

test("the tables name every capability, every code of the error table and every limit", () => {
  const provider = orbstack({ owner: "docs", variables: {} });
  for (const [capability, on] of Object.entries(provider.capabilities)) {
    expect(readme).toContain(`| ${capability} | ${on ? "yes" : "no"} |`);
  }
  for (const { code } of orbstackErrorTable) expect(readme).toContain(code);
  expect(readme).toContain(`| labels | ${provider.limits.maxLabels};`);
  expect(readme).toContain(`${provider.limits.nameMaxLength} characters`);
  expect(readme).toContain(`| list after a write | ${provider.limits.readAfterWriteMs / 1000} s |`);
  for (const option of Object.keys(provider.refuses)) expect(readme).toContain(`\`${option}\``);
});
