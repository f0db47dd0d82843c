import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { configSchema, runpod, runpodErrorTable } from "../src/index.ts";

const readme = await readFile(new URL("../README.md", import.meta.url), "utf8");
const [, example = ""] = /## Example[\s\S]*?```ts\n([\s\S]*?)```/.exec(readme) ?? [];

let folder = "";
beforeEach(async () => {
  folder = await mkdtemp(fileURLToPath(new URL("./.example-", import.meta.url)));
});
afterEach(async () => {
  await rm(folder, { recursive: true, force: true });
});

test("the example runs as it is printed, and prints what it says", async () => {
  const promised = [...example.matchAll(/console\.log\(.*\); \/\/ (.+)/g)].map(([, words]) => words);
  const log = vi.spyOn(console, "log").mockImplementation(() => undefined);
  try {
    await writeFile(`${folder}/example.ts`, example);
    await import(`${folder}/example.ts`);
    expect(log.mock.calls.map((values) => values.join(" "))).toEqual(promised);
  } finally {
    log.mockRestore();
  }
  expect(promised).toHaveLength(2);
});

test("the README names every capability, code, limit and setting", () => {
  const provider = runpod({ apiKey: "k", owner: "docs" });
  for (const [capability, on] of Object.entries(provider.capabilities)) {
    expect(readme).toContain(`| ${capability} | ${on ? "yes" : "no"} |`);
  }
  for (const { code } of runpodErrorTable) expect(readme).toContain(`| ${code}`);
  const { maxUserDataBytes, maxLabels, nameMaxLength, readAfterWriteMs } = provider.limits;
  for (const limit of [maxUserDataBytes, maxLabels, nameMaxLength, readAfterWriteMs]) {
    expect(readme).toMatch(new RegExp(`\\b${limit}\\b`));
  }
  const settings = Object.keys("shape" in configSchema ? (configSchema.shape as object) : {});
  expect(settings.length).toBeGreaterThan(5);
  for (const setting of settings) expect(readme).toContain(`\`${setting}\``);
});
