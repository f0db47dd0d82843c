import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";

/** Runs a file under node:test in a process of its own, as a provider's author would. */
async function nodeTest(file: string): Promise<{ readonly code: number | null; readonly output: string }> {
  const path = fileURLToPath(new URL(`./node-test/${file}`, import.meta.url));
  const args = ["--conditions=@slipway/source", "--test", "--test-reporter=tap", path];
  const child = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "pipe"] });
  let output = "";
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (chunk: Buffer) => (output += chunk.toString()));
  const code = await new Promise<number | null>((resolve) => child.on("close", resolve));
  return { code, output };
}

const count = (output: string, what: string): number =>
  Number(new RegExp(`^# ${what} (\\d+)$`, "m").exec(output)?.[1] ?? Number.NaN);

test("a conforming provider passes under node:test", { timeout: 120_000 }, async () => {
  const { code, output } = await nodeTest("conforming.ts");
  expect(count(output, "fail")).toBe(0);
  expect(count(output, "pass")).toBeGreaterThan(230);
  expect(count(output, "skipped")).toBe(4);
  expect(output).toContain("# SKIP the registration has no workflows");
  expect(code).toBe(0);
});

test("a provider that breaks a rule fails under node:test", { timeout: 120_000 }, async () => {
  const { code, output } = await nodeTest("broken.ts");
  expect(count(output, "fail")).toBe(2);
  expect(output).toMatch(/not ok \d+ - list.complete/);
  expect(output).toMatch(/not ok \d+ - list.pages-move/);
  expect(output).toContain("LIST-02");
  expect(code).toBe(1);
});
