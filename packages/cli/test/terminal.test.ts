import { spawn, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, it, onTestFinished } from "vitest";
import { environment, nodeArguments, runProgram } from "./command-process.ts";

// What comes in is typed on a terminal of 33 rows and 101 columns, and what that shows goes out.
const onTerminal = fileURLToPath(new URL("../../provider-local/test/programs/on-terminal.py", import.meta.url));
const hasTerminals = spawnSync("python3", ["--version"]).status === 0;

it.skipIf(!hasTerminals)("exec -it gives a shell in a local instance, on the user's own terminal", async () => {
  const directory = mkdtempSync(join(tmpdir(), "slipway-terminal-"));
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
  const options = { cwd: directory, env: environment(join(directory, "state")) };
  const slipway = (...args: readonly string[]) => runProgram(process.execPath, nodeArguments(...args), options);
  expect(await slipway("spawn", "--key", "web-1")).toMatchObject({ exitCode: 0 });
  onTestFinished(async () => void (await slipway("terminate", "web-1", "--yes")));

  const command = [process.execPath, ...nodeArguments("exec", "-it", "web-1", "--", "sh")];
  const shell = spawn("python3", [onTerminal, ...command], { ...options, stdio: ["pipe", "pipe", "inherit"] });
  onTestFinished(() => void shell.kill("SIGKILL"));
  // Typed ahead: nobody waits for the prompt.
  shell.stdin.write("stty size; test -t 2 && echo on a term''inal; exit 9\n");
  let shown = "";
  shell.stdout.on("data", (chunk: Buffer) => {
    shown += chunk.toString("utf8");
  });
  const exitCode = await new Promise((resolve) => void shell.once("close", resolve));
  expect(shown).toContain("33 101\r\non a terminal\r\n");
  expect(exitCode).toBe(9);
});
