import { existsSync } from "node:fs";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Session } from "../src/session.ts";
import { openSshSession } from "../src/ssh-session.ts";
import { missing, type Sshd, startSshd } from "./sshd.ts";

describe.skipIf(missing !== null)("a session over a real sshd", () => {
  let sshd: Sshd;
  let session: Session;
  beforeAll(async () => {
    sshd = await startSshd();
    session = await openSshSession("cloud", "i-1", sshd.endpoint, { identityFile: sshd.identityFile });
  });
  afterAll(async () => {
    await session[Symbol.asyncDispose]();
    await sshd.close();
  });

  it.each([
    [0, "exit 0"],
    [3, "exit 3"],
    [255, "exit 255"],
    [137, "kill -9 $$"],
    [127, "no-such-program-here"],
  ])("gives exit code %i", async (code, script) => {
    expect((await session.exec(["/bin/sh", "-c", script])).exitCode).toBe(code);
  });

  it("adds no word of a shell to what a killed command printed", async () => {
    const result = await session.exec(["/bin/sh", "-c", "echo err >&2; kill -9 $$"]);
    expect(result).toEqual({ exitCode: 137, stdout: "", stderr: "err\n" });
  });

  it("hands every word on as it is, and parts stdout from stderr", async () => {
    const words = ["a b", "$HOME", "`id`", "'", '"', "\\", "*", "", "-n", "é", "two\nlines"];
    const result = await session.exec([
      "/bin/sh",
      "-c",
      String.raw`printf '<%s>' "$@"; printf oops >&2`,
      "sh",
      ...words,
    ]);
    expect(result).toEqual({ exitCode: 0, stdout: words.map((word) => `<${word}>`).join(""), stderr: "oops" });
  });

  it("sets environment and directory, and leaves the input to the command", async () => {
    const result = await session.exec(["/bin/sh", "-c", 'pwd; echo "$SECRET"; cat'], {
      cwd: "/usr",
      environment: { SECRET: "it's $HOME" },
      stdin: "the input\n",
    });
    expect(result.stdout).toBe("/usr\nit's $HOME\nthe input\n");
  });

  it("gives code 126 where the directory is missing", async () => {
    const result = await session.exec(["touch", "ran"], { cwd: "/no/such/place" });
    expect(result.exitCode).toBe(126);
    expect(result.stderr).toContain("/no/such/place");
  });

  it("puts no value of the environment into an argument list", async () => {
    const seen = await session.exec(["/bin/sh", "-c", "cat /proc/*/cmdline 2>/dev/null | tr '\\0' ' '"], {
      environment: { TOKEN: ["hid", "den"].join("-") },
    });
    expect(seen.stdout).not.toContain("hid-den");
  });

  it("ends the process group on the machine when the call is aborted", async () => {
    const stop = new AbortController();
    const directory = await mkdtemp(join(tmpdir(), "slipway-abort-"));
    const pidFile = join(directory, "pid");
    const running = session.exec(["/bin/sh", "-c", `sleep 300 & echo $! >${pidFile}; echo up; wait`], {
      signal: stop.signal,
      onStdout: () => stop.abort(),
    });
    await expect(running).rejects.toMatchObject({ code: "CANCELLED", effect: "unknown" });
    const pid = (await readFile(pidFile, "utf8")).trim();
    // A zombie has ended: whoever reaps it here may take its time.
    const state = await readFile(`/proc/${pid}/status`, "utf8").catch(() => "State: gone");
    expect(state).toMatch(/State:\s+(gone|Z|X)/);
    await rm(directory, { recursive: true });
  });

  it("says that nothing ran where nobody listens or the key is not the right one", async () => {
    await using nobody = await openSshSession(
      "cloud",
      "i-2",
      { ...sshd.endpoint, port: 1 },
      { identityFile: sshd.identityFile },
    );
    await expect(nobody.exec(["true"])).rejects.toMatchObject({ code: "NETWORK", effect: "none" });
    await using wrong = await openSshSession("cloud", "i-3", sshd.endpoint, { identityFile: "/dev/null" });
    await expect(wrong.exec(["true"])).rejects.toMatchObject({ code: "AUTH_ERROR", effect: "none" });
  });

  it("says that the end is unknown where the connection is lost", async () => {
    const lost = session.exec(["/bin/sh", "-c", "kill -9 $PPID"]);
    await expect(lost).rejects.toMatchObject({ code: "NETWORK", effect: "unknown" });
  });

  it.each(["-oProxyCommand=touch pwned", "a;touch pwned", "$(touch pwned)"])("refuses the host %s", async (host) => {
    const opened = openSshSession("cloud", "i-1", { ...sshd.endpoint, host }, { identityFile: sshd.identityFile });
    await expect(opened).rejects.toMatchObject({ code: "INVALID_SPEC", effect: "none" });
    expect(existsSync("pwned")).toBe(false);
  });
});
