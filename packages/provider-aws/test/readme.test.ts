import "@aws-sdk/client-ec2";
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { aws, awsErrorTable } from "../src/index.ts";
import { ACTIONS } from "../src/wire.ts";

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
  expect(example.split("\n").length).toBeLessThanOrEqual(28);
});

test("the tables name every capability, every code of the error table and every whyNot", () => {
  const provider = aws({ owner: "docs" });
  for (const [capability, on] of Object.entries(provider.capabilities)) {
    expect(readme).toContain(`| ${capability} | ${on ? "yes" : "no"} |`);
  }
  for (const { code } of awsErrorTable) expect(readme).toContain(code);
  expect(readme).toContain(`${provider.limits.maxLabels}; names`);
  expect(readme).toContain(`${provider.limits.nameMaxLength} characters`);
});

test("the policy holds every action that the code calls, and nothing beside those but the tags of a launch", async () => {
  const [, policy = "{}"] = /```json\n([\s\S]*?)```/.exec(readme) ?? [];
  const { Statement } = JSON.parse(policy) as { readonly Statement: readonly { readonly Action: readonly string[] }[] };
  const allowed = Statement.flatMap(({ Action }) => Action.map((action) => action.slice(action.indexOf(":") + 1)));
  expect(allowed.toSorted()).toEqual([...ACTIONS, "CreateTags"].toSorted());
});

test("no action stands in the tables that nothing calls", async () => {
  const folder = new URL("../src/", import.meta.url);
  const names = (await readdir(folder, { recursive: true })).filter(
    (name) => name.endsWith(".ts") && !name.startsWith("emulator"),
  );
  const texts = await Promise.all(
    names.filter((name) => name !== "wire.ts").map((name) => readFile(new URL(name, folder), "utf8")),
  );
  const source = texts.join("\n");
  expect(ACTIONS.filter((action) => !source.includes(`"${action}"`))).toEqual([]);
});
