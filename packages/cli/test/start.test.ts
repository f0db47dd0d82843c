import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it, onTestFinished } from "vitest";
import { environment, runProgram } from "./command-process.ts";

it("the program starts where the user's home is unknown", { timeout: 120_000 }, async () => {
  const directory = mkdtempSync(join(tmpdir(), "slipway-start-"));
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
  const start = new URL("../src/start.ts", import.meta.url).href;
  // As Node does for a user without HOME whom the machine does not know.
  const script = [
    'const os = process.getBuiltinModule("node:os");',
    'os.homedir = () => { throw new Error("uv_os_homedir returned ENOENT"); };',
    'process.getBuiltinModule("node:module").syncBuiltinESMExports();',
    `await (await import(${JSON.stringify(start)})).start();`,
  ].join("\n");
  const args = ["--conditions=@slipway/source", "--input-type=module", "-e", script, "--", "slipway", "--version"];
  const { HOME: _home, XDG_CACHE_HOME: _cache, ...env } = environment(join(directory, "state"));
  const run = await runProgram(process.execPath, args, { cwd: directory, env });
  expect(run).toMatchObject({ exitCode: 0, stderr: "" });
  expect(run.stdout).toMatch(/^\d+\.\d+\.\d+/);
});
