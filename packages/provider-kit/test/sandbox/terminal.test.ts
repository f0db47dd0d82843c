import { execFile } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { describe, expect, test } from "vitest";
import { sandboxTerminal } from "../../src/sandbox/index.ts";
import { isolations, scratch, started } from "./sandboxes.ts";

/** A directory of programs that say what they are. */
function programs(said: Readonly<Record<string, string>>): string {
  const directory = scratch();
  for (const [name, words] of Object.entries(said)) {
    writeFileSync(join(directory, name), `#!/bin/sh\necho '${words}'\n`, { mode: 0o755 });
  }
  return directory;
}

const PYTHON = { python3: "Python 3.11.2" };
const SCRIPT = { script: "script from util-linux 2.38.1" };

describe.each(isolations)("the command of a terminal, with $isolation", (isolation) => {
  const makerOf = async (said: Readonly<Record<string, string>>, platform: NodeJS.Platform = "linux") => {
    const sandbox = await started(isolation);
    const { file, args } = await sandboxTerminal(sandbox, ["true"], { platform, directories: [programs(said)] });
    expect(file).toBe("/usr/bin/env");
    return args.find((word) => word === "python3" || word === "script");
  };

  test("is made with the program that exists", async () => {
    expect(await makerOf({ ...PYTHON, ...SCRIPT })).toBe("python3");
    expect(await makerOf(SCRIPT)).toBe("script");
    expect(await makerOf({}, "darwin")).toBe("script");
    // busybox's says no exit code, and Python 2 is another language.
    await expect(makerOf({ script: "BusyBox v1.36", python3: "Python 2.7" })).rejects.toMatchObject({
      reason: "no-terminal",
      message: "a terminal is made by script of util-linux or by python3, and neither is here",
    });
  });

  test("takes nothing of the caller's variables along but the kind of the terminal", async () => {
    const sandbox = await started(isolation);
    const variables = { TERM: "xterm-256color", AWS_SECRET_ACCESS_KEY: "hidden" };
    const { args } = await sandboxTerminal(sandbox, ["true"], { variables });
    expect(args[0]).toBe("-i");
    expect(args).toContain("TERM=xterm-256color");
    expect(args.join("\n")).not.toContain("hidden");
    const bare = await sandboxTerminal(sandbox, ["true"], { variables: {} });
    expect(bare.args).toContain("TERM=dumb");
  });

  test("is refused without a word, or with NUL in one", async () => {
    const sandbox = await started(isolation);
    await expect(sandboxTerminal(sandbox, [])).rejects.toMatchObject({ reason: "invalid" });
    await expect(sandboxTerminal(sandbox, ["a\0b"])).rejects.toMatchObject({ reason: "invalid" });
  });

  test("runs no module that lies where the caller is", async () => {
    const sandbox = await started(isolation);
    const cwd = scratch();
    for (const name of ["pty", "tty", "fcntl", "select"]) writeFileSync(join(cwd, `${name}.py`), 'print("owned")\n');
    const { file, args } = await sandboxTerminal(sandbox, ["true"]);
    const failed = await promisify(execFile)(file, [...args], { cwd }).catch((error: { stdout: string }) => error);
    expect(failed.stdout).not.toContain("owned");
  });
});
