import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { gcp, gcpErrorTable } from "../src/index.ts";

const readme = await readFile(new URL("../README.md", import.meta.url), "utf8");
const [, example = ""] = /## Example[\s\S]*?```ts\n([\s\S]*?)```/.exec(readme) ?? [];

test("the example runs as it is printed, and prints what it says", async () => {
  const folder = await mkdtemp(fileURLToPath(new URL("./.readme-", import.meta.url)));
  const printed: string[] = [];
  const said = [...example.matchAll(/console\.log\(.*\); \/\/ (.+)/g)].map(([, text]) => text);
  try {
    const body = example.replaceAll("console.log(", "print(");
    const source = `declare global { var print: (...values: unknown[]) => void }\n${body}\nexport {};\n`;
    await writeFile(`${folder}/example.ts`, source);
    Object.assign(globalThis, { print: (...values: unknown[]) => printed.push(values.join(" ")) });
    await import(`${folder}/example.ts`);
  } finally {
    Reflect.deleteProperty(globalThis, "print");
    await rm(folder, { recursive: true, force: true });
  }
  expect(said).toHaveLength(2);
  expect(printed).toEqual(said);
  expect(example.split("\n").length).toBeLessThanOrEqual(26);
});

test("the tables name every capability and every code of the error table", () => {
  const provider = gcp({ project: "p", owner: "docs" });
  for (const [capability, on] of Object.entries(provider.capabilities)) {
    expect(readme).toContain(`| ${capability} | ${on ? "yes" : "no"} |`);
  }
  for (const { code } of gcpErrorTable) expect(readme).toContain(code);
  expect(readme).toContain(`| labels | ${provider.limits.maxLabels},`);
  expect(readme).toContain(`${provider.limits.nameMaxLength} characters`);
});
