import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it, onTestFinished } from "vitest";
import { environment, runProgram } from "./command-process.ts";

/** The packages that the command loads, and how many modules in all. */
async function loadedBy(...words: readonly string[]): Promise<{ readonly packages: string[]; readonly count: number }> {
  const directory = mkdtempSync(join(tmpdir(), "slipway-loaded-"));
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
  const start = new URL("../src/start.ts", import.meta.url).href;
  const script = [
    'const { registerHooks } = process.getBuiltinModule("node:module");',
    "const urls = [];",
    "registerHooks({ load: (url, context, next) => { urls.push(url); return next(url, context); } });",
    'process.on("exit", () => process.stderr.write(`\\nLOADED ${JSON.stringify(urls)}\\n`));',
    `await (await import(${JSON.stringify(start)})).start();`,
  ].join("\n");
  const args = ["--conditions=@slipway/source", "--no-warnings", "--input-type=module", "-e", script, "--", "slipway"];
  const env = environment(join(directory, "state"));
  const run = await runProgram(process.execPath, [...args, ...words], { cwd: directory, env });
  expect(run.exitCode, run.stderr).toBe(0);
  const [, text = "[]"] = /^LOADED (.*)$/m.exec(run.stderr) ?? [];
  const urls = (JSON.parse(text) as string[]).filter((url) => url.startsWith("file:"));
  const packages = urls.map((url) =>
    /\/packages\/([^/]+)\/src\/|\/node_modules\/((?:@[^/]+\/)?[^/]+)\/(?!.*\/node_modules\/)/.exec(url),
  );
  return {
    packages: [...new Set(packages.flatMap((match) => match?.[1] ?? match?.[2] ?? []))].sort(),
    count: urls.length,
  };
}

it("--version loads the command and core, but no provider, store or session", { timeout: 120_000 }, async () => {
  const { packages, count } = await loadedBy("--version");
  expect(packages).toEqual(["cli", "commander", "core"]);
  expect(count).toBeLessThanOrEqual(100);
});

it("list loads the store and the provider that is configured", { timeout: 120_000 }, async () => {
  const { packages, count } = await loadedBy("list");
  for (const unwanted of ["reach", "contract-tests", "provider-memory", "@clack/prompts", "yaml"]) {
    expect(packages).not.toContain(unwanted);
  }
  expect(packages).toEqual(expect.arrayContaining(["cli", "control", "core", "provider-local"]));
  expect(count).toBeLessThanOrEqual(400);
});
