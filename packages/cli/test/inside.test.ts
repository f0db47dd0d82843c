import { join } from "node:path";
import type { BootstrapTruth, ProviderRegistration, RegisterEnvironment } from "@slipway/core";
import { describe, expect, it } from "vitest";
import { commandLine } from "./command-line.ts";
import { type FakeRemote, fakeModule, fault } from "./fake-provider.ts";

describe("slipway ssh", () => {
  it("runs the system's ssh with a known_hosts file of the instance's own", async () => {
    const line = commandLine();
    line.remote.ssh = { host: "192.0.2.7", port: 2222, user: "root" };
    await line.slipway(["spawn", "--key", "a"]);
    await line.slipway(["spawn", "--key", "b"]);
    const run = await line.slipway(["ssh", "a", "-i", "key", "--", "uname", "-a"], {
      spawnProcess: async (file, args) => {
        line.spawned.push({ file, args });
        return 7;
      },
    });
    expect(run.exitCode).toBe(7);
    await line.slipway(["ssh", "b"]);
    const [first, second] = line.spawned;
    expect(first?.file).toBe("ssh");
    expect(first?.args).toEqual([
      ...["-o", "ConnectTimeout=30"],
      "-o",
      expect.stringMatching(new RegExp(`^UserKnownHostsFile="${line.state}/slipway/known_hosts/[0-9a-f]{40}"$`)),
      ...["-o", "StrictHostKeyChecking=accept-new", "-o", "HashKnownHosts=no", "-p", "2222", "-l", "root"],
      ...["-i", `${line.cwd}/key`, "--", "192.0.2.7", "uname", "-a"],
    ]);
    expect(second?.args[3]).not.toBe(first?.args[3]);
  });

  it("names the known_hosts file so that ssh expands nothing in its path", async () => {
    const line = commandLine();
    line.remote.ssh = { host: "2001:db8::7", port: 22, user: "u" };
    const env = { XDG_STATE_HOME: join(line.directory, 'a 100%h "q"'), HOME: line.directory };
    await line.slipway(["spawn", "--key", "a"], { env });
    await line.slipway(["ssh", "a"], { env });
    expect(line.spawned[0]?.args[3]).toContain('/a 100%%h \\"q\\"/slipway/known_hosts/');
    expect(line.spawned[0]?.args.slice(-2)).toEqual(["--", "2001:db8::7"]);
  });

  it("gives ssh no address that it could read an option or a script in", async () => {
    const hostile = [
      { host: "-oProxyCommand=touch harm", port: 22, user: "u" },
      { host: "h`touch harm`", port: 22, user: "u" },
      { host: "h;touch harm", port: 22, user: "u" },
      { host: "ssh://h", port: 22, user: "u" },
      { host: "a\nb", port: 22, user: "u" },
      { host: "", port: 22, user: "u" },
      { host: "192.0.2.7", port: 22, user: "-oProxyCommand=x" },
      { host: "192.0.2.7", port: 22, user: "$(touch harm)" },
      { host: "192.0.2.7", port: 22, user: "" },
      { host: "192.0.2.7", port: 70_000, user: "u" },
    ];
    for (const [at, ssh] of hostile.entries()) {
      const line = commandLine();
      line.remote.ssh = ssh;
      await line.slipway(["spawn", "--key", `k-${at}`]);
      const run = await line.slipway(["ssh", `k-${at}`, "--json"]);
      expect(run.exitCode, JSON.stringify(ssh)).toBe(1);
      expect(line.spawned).toEqual([]);
    }
    for (const host of ["192.0.2.7", "node-1.example_x.test", "::1", "fe80::1%eth0", "::ffff:192.0.2.7"]) {
      const line = commandLine();
      line.remote.ssh = { host, port: 22, user: "ec2-user" };
      await line.slipway(["spawn", "--key", "a"]);
      expect((await line.slipway(["ssh", "a"])).exitCode, host).toBe(0);
    }
  });

  it("waits for a connection as long as --timeout says, and ends ssh when it is over", async () => {
    const line = commandLine();
    line.remote.ssh = { host: "192.0.2.7", port: 22, user: "u" };
    await line.slipway(["spawn", "--key", "a"]);
    let started = (): void => undefined;
    const running = new Promise<void>((resolve) => {
      started = resolve;
    });
    // Every deadline of the run ends once ssh runs, and none before.
    const clock = { ...line.clock, sleep: () => running };
    const run = await line.slipway(["ssh", "a", "--timeout", "3500ms", "--json"], {
      clock,
      spawnProcess: (file, args, signal) => {
        line.spawned.push({ file, args });
        started();
        return new Promise((resolve) => {
          signal.addEventListener("abort", () => resolve(143), { once: true });
        });
      },
    });
    expect(line.spawned[0]?.args.slice(0, 2)).toEqual(["-o", "ConnectTimeout=4"]);
    expect([run.exitCode, run.error()["code"]]).toEqual([1, "SSH_TIMEOUT"]);
  });

  it("says what to do where there is no address or no ssh", async () => {
    const line = commandLine();
    await line.slipway(["spawn", "--key", "a"]);
    const none = await line.slipway(["ssh", "a"]);
    expect(none).toMatchObject({ exitCode: 1 });
    expect(none.stderr).toContain("slipway exec i-1");
    line.remote.ssh = { host: "h", port: 22, user: "u" };
    await line.slipway(["spawn", "--key", "b"]);
    const missing = await line.slipway(["ssh", "b"], {
      spawnProcess: async () => {
        throw Object.assign(new Error("spawn ssh ENOENT"), { code: "ENOENT", syscall: "spawn ssh" });
      },
    });
    expect(missing.stderr).toContain("MISSING_TOOL");
  });
});

describe("slipway exec", () => {
  it("streams both outputs and answers the command's exit code", async () => {
    const { slipway, remote } = commandLine();
    await slipway(["spawn", "--key", "a"]);
    const run = await slipway(["exec", "a", "--", "exit", "3", "--json", "-x"]);
    expect(run).toMatchObject({ exitCode: 3, stdout: "out\n", stderr: "err\n" });
    expect(remote.called("exec")[0]).toEqual(["i-1", ["exit", "3", "--json", "-x"], undefined]);
    const json = await slipway(["exec", "a", "--json", "--stdin", "--", "exit", "3"], { input: "typed" });
    expect(json.json()).toEqual({ exitCode: 3, stdout: "out\n", stderr: "err\n" });
    expect(json.exitCode).toBe(3);
    expect(remote.called("exec")[1]?.[2]).toBe("typed");
  });

  it("refuses input that is no text, since the contract would change it", async () => {
    const { slipway, remote } = commandLine();
    await slipway(["spawn", "--key", "a"]);
    const stdin = { isTTY: false, read: async () => new Uint8Array([0xff, 0x00]) };
    expect((await slipway(["exec", "a", "--stdin", "--", "cat"], { stdin })).exitCode).toBe(2);
    expect(remote.called("exec")).toEqual([]);
  });

  it("goes over ssh where the provider has no exec, with words that the shell there reads back", async () => {
    const line = commandLine({ bare: true });
    line.remote.ssh = { host: "h", port: 22, user: "u" };
    await line.slipway(["spawn", "--key", "a"]);
    await line.slipway(["exec", "a", "--", "echo", "it's $HOME", "b c"]);
    expect(line.spawned[0]?.args.at(-1)).toBe("echo 'it'\\''s $HOME' 'b c'");
  });
});

describe("slipway exec over ssh", () => {
  it("hands its stdin on only where it is told to", async () => {
    const line = commandLine({ bare: true });
    line.remote.ssh = { host: "h", port: 22, user: "u" };
    await line.slipway(["spawn", "--key", "a"]);
    await line.slipway(["exec", "a", "--", "cat"]);
    await line.slipway(["exec", "-i", "a", "--", "cat"]);
    expect(line.spawned.map(({ args }) => args.includes("-n"))).toEqual([true, false]);
  });
});

describe("slipway logs", () => {
  it("shows a remote's escape sequences on a terminal, and hands them on to a program as they are", async () => {
    const { slipway, remote } = commandLine();
    await slipway(["spawn", "--key", "a"]);
    // Sets the title, clears the screen, and asks the terminal to type an answer; the last two are one C1 byte long.
    remote.log = ["\x1b]0;owned\x07\x1b[2J", "\x9b6n \x9d52;c;cHduZWQ=\x9c", "plain\rover"];
    const out: string[] = [];
    const terminal = { isTTY: true, write: (text: string) => out.push(text) };
    expect((await slipway(["logs", "a"], { stdout: terminal })).exitCode).toBe(0);
    expect(out.join("")).toBe("\\x1b]0;owned\\x07\\x1b[2J\n\\x9b6n \\x9d52;c;cHduZWQ=\\x9c\nplain\\x0dover\n");
    const json: string[] = [];
    await slipway(["logs", "a", "--json"], { stdout: { isTTY: true, write: (text: string) => json.push(text) } });
    expect(json.join("")).not.toMatch(/[\x1b\x9b\x9d]/);
    expect(json.map((text) => (JSON.parse(text) as { line: string }).line)).toEqual(remote.log);
    expect((await slipway(["logs", "a"])).stdout).toBe(`${remote.log.join("\n")}\n`);
  });

  it("nor do they show in a message or a stack", async () => {
    const { slipway, remote } = commandLine();
    remote.failures.set("list", () => fault("NETWORK", "local", "cut \x1b[2J"));
    const run = await slipway(["list", "--verbose"]);
    expect(run.stderr).toContain("cut \\x1b[2J");
    expect(run.stderr).not.toContain("\x1b");
    const json = await slipway(["list", "--json"]);
    expect(json.stderr).not.toContain("\x1b");
  });

  it("prints the lines, and follows until it is interrupted", async () => {
    const { slipway, remote } = commandLine();
    remote.log = ["one", "two"];
    await slipway(["spawn", "--key", "a"]);
    expect(await slipway(["logs", "a"])).toMatchObject({ exitCode: 0, stdout: "one\ntwo\n" });
    const ndjson = await slipway(["logs", "a", "--json"]);
    expect(
      ndjson.stdout
        .trimEnd()
        .split("\n")
        .map((line) => JSON.parse(line) as unknown),
    ).toEqual([
      { id: "i-1", line: "one" },
      { id: "i-1", line: "two" },
    ]);
    const controller = new AbortController();
    const stdout = { isTTY: false, write: (text: string) => (text === "two\n" ? controller.abort() : undefined) };
    expect((await slipway(["logs", "a", "-f"], { signal: controller.signal, stdout })).exitCode).toBe(130);
  });

  it("-f fails where the lines could never be read, and the bootstrap has ended", async () => {
    const { slipway, remote, modules } = commandLine();
    modules.set("@slipway/provider-local", () => reportingBootstrap(remote));
    await slipway(["spawn", "--key", "a"]);
    remote.log = ["one"];
    expect(await slipway(["logs", "a", "-f"])).toMatchObject({ exitCode: 0, stdout: "one\n" });
    remote.failures.set("logs", () => fault("AUTH_ERROR", "local", "the key may not read logs"));
    expect(await slipway(["logs", "a", "-f"])).toMatchObject({ exitCode: 1, stdout: "" });
  });

  it("says so where the provider has none", async () => {
    const { slipway } = commandLine({ bare: true });
    await slipway(["spawn", "--key", "a"]);
    expect((await slipway(["logs", "a", "--json"])).error()).toMatchObject({ code: "UNSUPPORTED" });
  });
});

/** A provider that also reports the bootstrap, which has succeeded. */
function reportingBootstrap(remote: FakeRemote): { readonly register: unknown } {
  const { register } = fakeModule(remote) as {
    register: (config: unknown, env: RegisterEnvironment) => Promise<ProviderRegistration>;
  };
  return {
    register: async (config: unknown, env: RegisterEnvironment) => {
      const made = await register(config, env);
      const readBootstrap = async (): Promise<BootstrapTruth> => ({ state: "succeeded", exitCode: 0 });
      return { ...made, provider: { ...made.provider, readBootstrap } };
    },
  };
}
