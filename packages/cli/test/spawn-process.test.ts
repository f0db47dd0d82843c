import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { describe, expect, it, onTestFinished } from "vitest";
import { spawnProcess } from "../src/spawn-process.ts";

const never = new AbortController().signal;

/** A process that has ended, or waits for nobody to collect it. */
async function isGone(pid: string): Promise<boolean> {
  const state = await readFile(`/proc/${pid}/stat`, "utf8").catch(() => ") X");
  return /\) [XZ]/.test(state);
}

describe("a program that has the terminal", () => {
  it("gives its exit code, and 128 and the number of a signal that ended it", async () => {
    expect(await spawnProcess("sh", ["-c", "exit 7"], never)).toBe(7);
    expect(await spawnProcess("sh", ["-c", "kill -9 $$"], never)).toBe(137);
  });

  it("is said to be missing where it is", async () => {
    await expect(spawnProcess("no-such-program-here", [], never)).rejects.toMatchObject({ code: "ENOENT" });
    await expect(spawnProcess("/no/such/program", [], never)).rejects.toMatchObject({ code: "ENOENT" });
  });

  it("runs where setpriv is too old, or too small, to end it with its parent", async () => {
    const directory = await mkdtemp(join(tmpdir(), "slipway-spawn-"));
    onTestFinished(() => rm(directory, { recursive: true, force: true }));
    const setpriv = join(directory, "setpriv");
    // As BusyBox's, and as util-linux's before 2.33.
    const script = `#!/bin/sh\necho "setpriv: unrecognized option '$1'" >&2\nexit 1\n`;
    await writeFile(setpriv, script, { mode: 0o755 });
    expect(await spawnProcess("sh", ["-c", "exit 7"], never, setpriv)).toBe(7);
  });

  it.skipIf(!existsSync("/usr/bin/setpriv"))("ends with a command that is killed at once", async () => {
    const directory = await mkdtemp(join(tmpdir(), "slipway-spawn-"));
    onTestFinished(() => rm(directory, { recursive: true, force: true }));
    const module = new URL("../src/spawn-process.ts", import.meta.url).href;
    const program = `import { spawnProcess } from ${JSON.stringify(module)};
      await spawnProcess("sh", ["-c", "echo $$; exec sleep 300"], new AbortController().signal);`;
    const command = spawn(process.execPath, ["--conditions=@slipway/source", "--input-type=module", "-e", program], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    const [pid = ""] = await new Promise<readonly string[]>((resolve) => {
      createInterface(command.stdout).once("line", (line) => resolve([line.trim()]));
    });
    expect(pid).toMatch(/^\d+$/);
    expect(await isGone(pid)).toBe(false);
    command.kill("SIGKILL");
    await expect.poll(() => isGone(pid), { timeout: 20_000 }).toBe(true);
  });
});
