import { once } from "node:events";
import { existsSync } from "node:fs";
import { mkdtemp, readdir, readFile, rm, stat } from "node:fs/promises";
import { tmpdir, userInfo } from "node:os";
import { dirname, join } from "node:path";
import type { Exec } from "@slipway/core";
import { runCommand } from "@slipway/provider-kit/command";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Session } from "../src/session.ts";
import { openSshSession } from "../src/ssh-session.ts";
import { missing, type Sshd, startSshd } from "./sshd.ts";

/** A zombie has ended: whoever reaps it here may take its time. */
async function expectEnded(pid: string): Promise<void> {
  const state = await readFile(`/proc/${pid}/status`, "utf8").catch(() => "State: gone");
  expect(state).toMatch(/State:\s+(gone|Z|X)/);
}

/** Aborts a command as soon as it prints. */
async function expectEndedByAbort(session: Session, stop: AbortController): Promise<void> {
  let pid = "";
  const running = session.exec(["/bin/sh", "-c", "echo $$; exec sleep 300"], {
    signal: stop.signal,
    onStdout: (chunk) => {
      pid += chunk;
      stop.abort();
    },
  });
  await expect(running).rejects.toMatchObject({ code: "CANCELLED", effect: "unknown" });
  await expectEnded(pid.trim());
}

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
    await expectEnded(pid);
    await rm(directory, { recursive: true });
  });

  it("ends a command that says its process id only after the abort", async () => {
    const stop = new AbortController();
    const aborted = once(stop.signal, "abort");
    const exec: Exec = (file, args, options = {}) => {
      const { onStderr, signal } = options;
      // As over a slow line: what comes after the end of the client is read by nobody.
      const read = (chunk: string): void => {
        if (signal?.aborted !== true) onStderr?.(chunk);
      };
      const late = (chunk: string): void => void aborted.then(() => setImmediate(read, chunk));
      return runCommand(file, args, onStderr === undefined ? options : { ...options, onStderr: late });
    };
    const { endpoint, identityFile } = sshd;
    await using slow = await openSshSession("cloud", "i-5", endpoint, { identityFile, runtime: { exec } });
    await expectEndedByAbort(slow, stop);
  });

  it.each(["stdout", "stderr"])("ends a command whose %s has no end, and gives no exit code of it", async (stream) => {
    const directory = await mkdtemp(join(tmpdir(), "slipway-endless-"));
    const pidFile = join(directory, "pid");
    let kept = 0;
    const count = (chunk: string): void => {
      kept += chunk.length;
    };
    const script = `echo $$ >${pidFile}; exec yes "\\033]0;title lies" ${stream === "stderr" ? ">&2" : ""}`;
    const running = session.exec(["/bin/sh", "-c", script], { onStdout: count, onStderr: count });
    await expect(running).rejects.toMatchObject({
      code: "INTERNAL",
      effect: "unknown",
      message: expect.stringContaining("more than 8388608 bytes"),
      hint: expect.stringContaining("as a job"),
    });
    expect(kept).toBeLessThanOrEqual(8 * 1024 * 1024);
    await expectEnded((await readFile(pidFile, "utf8")).trim());
    await rm(directory, { recursive: true });
  });

  it("takes output up to the limit whole", async () => {
    const { exitCode, stdout } = await session.exec([
      "/bin/sh",
      "-c",
      "head -c 8388608 /dev/zero | tr '\\0' x; exit 4",
    ]);
    expect([exitCode, stdout.length]).toEqual([4, 8 * 1024 * 1024]);
  });

  it("puts no input and no value of a job's environment into an argument list", async () => {
    const secret = ["job", "hidden", "value"].join("-");
    const look = ["/bin/sh", "-c", "cat /proc/*/cmdline 2>/dev/null | tr '\\0' ' '; echo; echo looked"];
    const read = await session.exec(look, { stdin: secret });
    expect(read.stdout).toContain("looked");
    expect(read.stdout).not.toContain(secret);
    const job = await session.start(look, { environment: { TOKEN: secret } });
    let printed = "";
    for await (const { text } of job.follow()) printed += text;
    expect(printed).toContain("looked");
    expect(printed).not.toContain(secret);
  });

  it("leaves no file that others can read, on either side", async () => {
    const sockets: string[] = [];
    const exec: Exec = (file, args, options) => {
      const at = args.indexOf("-S");
      if (at !== -1) sockets.push(args[at + 1] ?? "");
      return runCommand(file, args, options);
    };
    const { endpoint, identityFile } = sshd;
    await using other = await openSshSession("cloud", "i-4", endpoint, { identityFile, runtime: { exec } });
    const job = await other.start(["/bin/sh", "-c", "echo printed"], { environment: { TOKEN: "x" } });
    await job.result();
    const here = dirname(sockets[0] ?? "");
    const there = join(userInfo().homedir, ".slipway-jobs", job.id);
    for (const directory of [here, there]) {
      expect((await stat(directory)).mode & 0o077).toBe(0);
      const files = await readdir(directory);
      expect(files.length).toBeGreaterThan(0);
      for (const file of files) expect([file, (await stat(join(directory, file))).mode & 0o077]).toEqual([file, 0]);
    }
    await rm(there, { recursive: true });
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

  /** Ends the shared connection at once, as a network that is gone would. Its arguments are those of any command that uses it. */
  const cut = async (args: readonly string[]): Promise<void> => {
    const socket = args[args.indexOf("-S") + 1] ?? "";
    await runCommand("ssh", ["-F", "none", "-S", socket, "-O", "exit", "--", "127.0.0.1"]);
  };
  const open = async (exec: Exec): Promise<Session> => {
    const { endpoint, identityFile } = sshd;
    return await openSshSession("cloud", "i-6", endpoint, { identityFile, runtime: { exec } });
  };

  it("does not say that nothing ran of a command that was cut, where another one has connected again by then", async () => {
    const word = crypto.randomUUID();
    const exec: Exec = async (file, args, options = {}) => {
      if (args.at(-1)?.includes(word) !== true) return await runCommand(file, args, options);
      const { onStderr: _unread, ...silently } = options;
      await runCommand(file, args, silently);
      await cut(args);
      await cutOff.exec(["true"]);
      return { exitCode: 255, signal: null, stdout: "", stderr: "" };
    };
    await using cutOff = await open(exec);
    await expect(cutOff.exec(["echo", word])).rejects.toMatchObject({ code: "NETWORK", effect: "unknown" });
  });

  it("does not say that nothing ran where its client was killed before the command said that it began", async () => {
    const word = crypto.randomUUID();
    const exec: Exec = async (file, args, options = {}) => {
      if (args.at(-1)?.includes(word) !== true) return await runCommand(file, args, options);
      const { onStderr: _unread, ...silently } = options;
      await runCommand(file, args, silently);
      return { exitCode: null, signal: "SIGKILL", stdout: "", stderr: "" };
    };
    await using shared = await open(exec);
    await expect(shared.exec(["echo", word])).rejects.toMatchObject({ code: "NETWORK", effect: "unknown" });
  });

  it("connects once for all commands that find the connection gone at the same time", async () => {
    let masters = 0;
    let last: readonly string[] = [];
    const exec: Exec = async (file, args, options) => {
      if (args.includes("-M")) masters += 1;
      last = args;
      return await runCommand(file, args, options);
    };
    await using shared = await open(exec);
    await shared.exec(["true"]);
    await cut(last);
    const results = await Promise.all([1, 2, 3, 4, 5, 6].map((word) => shared.exec(["echo", String(word)])));
    expect(results.map(({ stdout }) => stdout)).toEqual(["1\n", "2\n", "3\n", "4\n", "5\n", "6\n"]);
    expect(masters).toBe(2);
  });

  it("ends an aborted command over another connection where its own is gone", async () => {
    const stop = new AbortController();
    let ends = 0;
    const exec: Exec = async (file, args, options) => {
      if (args.at(-1)?.includes("kill -s TERM") === true && ends++ === 0) await cut(args);
      return await runCommand(file, args, options);
    };
    await using cutOff = await open(exec);
    await expectEndedByAbort(cutOff, stop);
    expect(ends).toBe(2);
  });

  it.each([3, 255])(
    "takes output that was cut off for no result, also where the exit code %i has arrived",
    async (code) => {
      const word = crypto.randomUUID();
      const exec: Exec = async (file, args, options) => {
        const result = await runCommand(file, args, options);
        if (args.at(-1)?.includes(word) !== true) return result;
        await cut(args);
        return { ...result, exitCode: 255, stdout: result.stdout.slice(0, 8) };
      };
      await using cutOff = await open(exec);
      const running = cutOff.exec(["/bin/sh", "-c", `echo ${word}; exit ${code}`]);
      await expect(running).rejects.toMatchObject({ code: "NETWORK", effect: "unknown" });
      expect(await cutOff.exec(["/bin/sh", "-c", "exit 255"])).toMatchObject({ exitCode: 255 });
    },
  );

  it.each(["-oProxyCommand=touch pwned", "a;touch pwned", "$(touch pwned)"])("refuses the host %s", async (host) => {
    const opened = openSshSession("cloud", "i-1", { ...sshd.endpoint, host }, { identityFile: sshd.identityFile });
    await expect(opened).rejects.toMatchObject({ code: "INVALID_SPEC", effect: "none" });
    expect(existsSync("pwned")).toBe(false);
  });
});
