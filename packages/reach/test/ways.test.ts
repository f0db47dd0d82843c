import { connect, createServer, type Server } from "node:net";
import { runCommand } from "@slipway/provider-kit/command";
import { local } from "@slipway/provider-local";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { openSession } from "../src/open-session.ts";
import type { Forward, SshSession } from "../src/session.ts";
import { openSshSession } from "../src/ssh-session.ts";
import { missing, type Sshd, startSshd } from "./sshd.ts";

/** All that a port says to a few words; what it rejects with if nobody answers. */
function ask(port: number, words: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host: "127.0.0.1", port, allowHalfOpen: true });
    let said = "";
    socket.setEncoding("utf8").on("data", (chunk: string) => {
      said += chunk;
    });
    socket.once("error", reject);
    socket.once("close", () => resolve(said));
    socket.end(words);
  });
}

describe("over a provider's own exec", () => {
  const machines = local({ owner: "reach", stateDirectory: "/no/state/is/made" });

  it("there is what the provider has, and nothing else", async () => {
    const { terminalCommand: _none, ...bare } = machines;
    const without = await openSession(bare, "i-1");
    expect([without.via, "tty" in without, "forward" in without]).toEqual(["native", false, false]);

    const ran: (readonly string[])[] = [];
    const asked: unknown[] = [];
    const able = {
      ...machines,
      terminalCommand: async (id: string, argv: readonly string[]) => ({ file: "enter", args: [id, ...argv] }),
      portForward: async (...words: readonly unknown[]): Promise<Forward> => {
        asked.push(words);
        return { host: "127.0.0.1", port: 81, [Symbol.asyncDispose]: async () => undefined };
      },
    };
    const terminal = async (file: string, args: readonly string[]): Promise<number> => {
      ran.push([file, ...args]);
      return 9;
    };
    const session = await openSession(able, "i-1", { identityFile: "", runtime: { terminal } });
    expect(await session.tty(["sh"])).toEqual({ exitCode: 9 });
    expect(ran).toEqual([["enter", "i-1", "sh"]]);
    expect((await session.forward(80, { localPort: 81 })).port).toBe(81);
    expect(asked).toEqual([["i-1", 80, { localPort: 81 }]]);
    await expect(session.tty([])).rejects.toMatchObject({ code: "INVALID_SPEC", effect: "none" });
  });

  it("a program that is missing here is said to be missing", async () => {
    const gone = Object.assign(new Error("spawn enter ENOENT"), { code: "ENOENT" });
    const able = { ...machines, terminalCommand: async () => ({ file: "enter", args: [] }) };
    const runtime = { terminal: () => Promise.reject(gone) };
    const session = await openSession(able, "i-1", { identityFile: "", runtime });
    await expect(session.tty(["sh"])).rejects.toMatchObject({ code: "UNSUPPORTED", effect: "none" });
  });
});

describe.skipIf(missing !== null)("over a real sshd", () => {
  let sshd: Sshd;
  let session: SshSession;
  let server: Server;
  let port = 0;
  beforeAll(async () => {
    sshd = await startSshd();
    const terminal = async (file: string, args: readonly string[], signal: AbortSignal): Promise<number> =>
      (await runCommand(file, args, { signal })).exitCode ?? 255;
    session = await openSshSession("cloud", "i-1", sshd.endpoint, {
      identityFile: sshd.identityFile,
      runtime: { terminal },
    });
    // Says all that it was told, once that has ended.
    server = createServer({ allowHalfOpen: true }, (socket) => void socket.pipe(socket));
    await new Promise<void>((resolve) => void server.listen(0, "127.0.0.1", resolve));
    const address = server.address();
    port = typeof address === "object" && address !== null ? address.port : 0;
  });
  afterAll(async () => {
    await session[Symbol.asyncDispose]();
    server.close();
    await sshd.close();
  });

  it("a forwarded port carries bytes both ways for many at once, and is closed with its disposal", async () => {
    const words = "x".repeat(200_000);
    const forward = await session.forward(port);
    const answers = await Promise.all(Array.from({ length: 20 }, (_, at) => ask(forward.port, `${at}${words}`)));
    expect(answers.every((answer, at) => answer === `${at}${words}`)).toBe(true);
    await forward[Symbol.asyncDispose]();
    await forward[Symbol.asyncDispose]();
    await expect(ask(forward.port, "a")).rejects.toMatchObject({ code: "ECONNREFUSED" });
  });

  it("a port where nobody listens ends a connection, and the forward goes on", async () => {
    await using forward = await session.forward(1);
    expect(await ask(forward.port, "a").catch(() => "")).toBe("");
    expect(await ask(forward.port, "a").catch(() => "")).toBe("");
  });

  it("refuses what is no port, and a local one that is taken", async () => {
    for (const no of [0, -1, 1.5, 65_536, Number.NaN]) {
      await expect(session.forward(no), String(no)).rejects.toMatchObject({ code: "INVALID_SPEC", effect: "none" });
    }
    await expect(session.forward(port, { localPort: port })).rejects.toMatchObject({ code: "INVALID_STATE" });
  });

  it("an abort closes the port, and one before opens none", async () => {
    const controller = new AbortController();
    const forward = await session.forward(port, { signal: controller.signal });
    controller.abort();
    await expect(ask(forward.port, "a")).rejects.toMatchObject({ code: "ECONNREFUSED" });
    await expect(session.forward(port, { signal: controller.signal })).rejects.toMatchObject({ effect: "none" });
  });

  it("a session that is closed closes what it forwards", async () => {
    const other = await openSshSession("cloud", "i-1", sshd.endpoint, { identityFile: sshd.identityFile });
    const forward = await other.forward(port);
    await other[Symbol.asyncDispose]();
    await expect(ask(forward.port, "a")).rejects.toMatchObject({ code: "ECONNREFUSED" });
  });

  it("a terminal gives the program's exit code, its words and its directory", async () => {
    const script = 'test -t 0 && test "$1" = "it\'s \\$HOME" && test "$PWD" = /usr && exit 7';
    expect(await session.tty(["sh", "-c", script, "sh", "it's $HOME"], { cwd: "/usr" })).toEqual({ exitCode: 7 });
    expect(await session.tty(["sh", "-c", "exit 255"])).toEqual({ exitCode: 255 });
    expect(await session.tty(["true"], { cwd: "/no/such" })).toEqual({ exitCode: 126 });
  });

  it("a terminal is ended by its time limit, and nothing runs after an abort", async () => {
    await expect(session.tty(["sleep", "300"], { timeoutMs: 500 })).rejects.toMatchObject({
      code: "TIMEOUT",
      effect: "unknown",
    });
    await expect(session.tty(["true"], { signal: AbortSignal.abort() })).rejects.toMatchObject({ effect: "none" });
  });

  it("a terminal takes a process that has one", async () => {
    const own = await openSshSession("cloud", "i-1", sshd.endpoint, { identityFile: sshd.identityFile });
    await expect(own.tty(["true"])).rejects.toMatchObject({ code: "INVALID_STATE", effect: "none" });
    await own[Symbol.asyncDispose]();
  });
});
