import type { ProviderRegistration, RegisterEnvironment, TerminalCommand } from "@slipway/core";
import { describe, expect, it } from "vitest";
import { type LineSource, showingLines } from "../src/bootstrap.ts";
import { commandLine } from "./command-line.ts";
import { fakeModule } from "./fake-provider.ts";

const terminal = { isTTY: true, write: () => undefined };
const stdin = { isTTY: true, read: async () => new Uint8Array() };
const ssh = { host: "192.0.2.7", port: 22, user: "u" };

describe("slipway exec --tty", () => {
  it("takes a terminal and an ssh address, and asks ssh for a terminal there", async () => {
    const line = commandLine();
    line.remote.ssh = ssh;
    await line.slipway(["spawn", "--key", "a"]);
    const piped = await line.slipway(["exec", "-it", "a", "--json", "--", "bash"]);
    expect(piped.error()).toMatchObject({ code: "INVALID_ARGUMENT" });
    await line.slipway(["exec", "-it", "a", "--identity", "key", "--", "bash", "-c", "a b"], {
      stdin,
      stdout: terminal,
    });
    const own = [...["-p", "22", "-l", "u"], ...["-i", `${line.cwd}/key`], "-t", "--", "192.0.2.7", "bash -c 'a b'"];
    expect(line.spawned).toHaveLength(1);
    expect(line.spawned[0]?.args.slice(-own.length)).toEqual(own);
  });

  it("goes the provider's own way where it has one, and is closed when --timeout is over", async () => {
    const line = commandLine();
    const { register } = fakeModule(line.remote) as {
      register: (config: unknown, env: RegisterEnvironment) => Promise<ProviderRegistration>;
    };
    const asked: (readonly string[])[] = [];
    const terminalCommand = async (_id: string, argv: readonly string[]): Promise<TerminalCommand> => {
      asked.push(argv);
      return { file: "enter", args: ["i-1", ...argv] };
    };
    line.modules.set("@slipway/provider-local", () => ({
      register: async (config: unknown, env: RegisterEnvironment) => {
        const made = await register(config, env);
        return { ...made, provider: { ...made.provider, terminalCommand } };
      },
    }));
    line.remote.ssh = ssh;
    await line.slipway(["spawn", "--key", "a"]);
    const run = await line.slipway(["exec", "-it", "a", "--", "bash", "-l"], {
      stdin,
      stdout: terminal,
      spawnProcess: async (file, args) => {
        line.spawned.push({ file, args });
        return 7;
      },
    });
    expect(run.exitCode).toBe(7);
    expect(asked).toEqual([["bash", "-l"]]);
    expect(line.spawned).toEqual([{ file: "enter", args: ["i-1", "bash", "-l"] }]);

    let started = (): void => undefined;
    const running = new Promise<void>((resolve) => {
      started = resolve;
    });
    const late = await line.slipway(["exec", "-it", "a", "--timeout", "3s", "--", "bash"], {
      stdin,
      stdout: terminal,
      // Every deadline of the run ends once the terminal is there, and none before.
      clock: { ...line.clock, sleep: () => running },
      spawnProcess: (_file, _args, signal) => {
        started();
        return new Promise((resolve) => {
          signal.addEventListener("abort", () => resolve(143), { once: true });
        });
      },
    });
    expect(late).toMatchObject({ exitCode: 1, stderr: expect.stringContaining("closed after 3000 ms") });
  });

  it("says so where the provider has no ssh", async () => {
    const line = commandLine();
    await line.slipway(["spawn", "--key", "a"]);
    const run = await line.slipway(["exec", "-it", "a", "--", "bash"], { stdin, stdout: terminal });
    expect(run).toMatchObject({ exitCode: 1, stderr: expect.stringContaining("a terminal goes over ssh") });
    expect(line.spawned).toEqual([]);
  });
});

describe("slipway spawn --wait", () => {
  it("launches nothing where the named key cannot be read", async () => {
    const line = commandLine();
    const run = await line.slipway(["spawn", "--key", "a", "--wait", "-i", "typo", "--json"]);
    expect(run.error()).toMatchObject({ code: "UNREADABLE_FILE" });
    expect(line.remote.called("spawn")).toEqual([]);
  });
});

describe("slipway forward", () => {
  it("listens on the loopback alone, and ends where it cannot listen", async () => {
    const line = commandLine();
    line.remote.ssh = ssh;
    await line.slipway(["spawn", "--key", "a"]);
    await line.slipway(["forward", "a", "6006", "8080:80"]);
    const args = line.spawned[0]?.args ?? [];
    expect(args).toEqual(expect.arrayContaining(["-N", "ExitOnForwardFailure=yes", "ControlPath=none"]));
    expect(args.filter((_word, at) => args[at - 1] === "-L")).toEqual([
      "127.0.0.1:6006:127.0.0.1:6006",
      "127.0.0.1:8080:127.0.0.1:80",
    ]);
    expect(args.slice(-2)).toEqual(["--", "192.0.2.7"]);
  });

  it.each(["0", "70000", "80:", "a", "1:2:3", "8080;id", "-oProxyCommand=id", "127.0.0.1:80"])(
    "takes no %s for a port",
    async (port) => {
      const line = commandLine();
      line.remote.ssh = ssh;
      await line.slipway(["spawn", "--key", "a"]);
      const run = await line.slipway(["forward", "--json", "a", "--", port]);
      expect(run.error()).toMatchObject({ code: "INVALID_ARGUMENT" });
      expect(line.spawned).toEqual([]);
    },
  );

  it("gives ssh no hostile address, and none where there is none", async () => {
    const line = commandLine();
    await line.slipway(["spawn", "--key", "a"]);
    expect((await line.slipway(["forward", "a", "80", "--json"])).error()).toMatchObject({ code: "UNSUPPORTED" });
    line.remote.ssh = { ...ssh, host: "-oProxyCommand=touch harm" };
    await line.slipway(["spawn", "--key", "b"]);
    expect((await line.slipway(["forward", "b", "80", "--json"])).error()).toMatchObject({ code: "NO_SSH" });
    expect(line.spawned).toEqual([]);
  });
});

describe("showingLines", () => {
  const { clock } = commandLineClock();

  it("shows each line once over a stream that breaks off, and what is printed until the end", async () => {
    let looks = 0;
    const lines: LineSource = async function* ({ follow }) {
      looks += 1;
      yield "one";
      if (follow && looks === 1) throw new Error("cut");
      yield "two";
      if (!follow) yield "three";
    };
    const shown: string[] = [];
    const seen = Promise.withResolvers<string>();
    const show = (line: string): void => {
      shown.push(line);
      if (line === "two") seen.resolve("done");
    };
    expect(await showingLines(lines, clock, show, () => seen.promise)).toBe("done");
    expect(shown).toEqual(["one", "two", "three"]);
  });

  it("lets the work fail for its own reason alone", async () => {
    const lines: LineSource = async function* () {
      yield await Promise.reject<string>(new Error("no log"));
    };
    const failing = showingLines(
      lines,
      clock,
      () => undefined,
      () => Promise.reject(new Error("it failed")),
    );
    await expect(failing).rejects.toThrow("it failed");
  });
});

/** Time that each sleep moves. */
function commandLineClock(): { readonly clock: Parameters<typeof showingLines>[1] } {
  let now = 0;
  const sleep = async (ms: number): Promise<void> => {
    now += ms;
    await Promise.resolve();
  };
  return { clock: { now: () => now, sleep } };
}
