import { spawn, spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { describe, expect, onTestFinished, test } from "vitest";
import { isolations, until, world } from "./worlds.ts";

const onTerminal = fileURLToPath(new URL("programs/on-terminal.py", import.meta.url));
const hasTerminals = spawnSync("python3", ["--version"]).status === 0;

interface Terminal {
  readonly shown: () => string;
  readonly type: (text: string) => void;
  readonly kill: () => void;
  readonly exitCode: Promise<number | null>;
}

/** Starts a command on a terminal of 33 rows and 101 columns. */
function open({ file, args }: { readonly file: string; readonly args: readonly string[] }): Terminal {
  const child = spawn("python3", [onTerminal, file, ...args], { stdio: ["pipe", "pipe", "inherit"] });
  onTestFinished(() => void child.kill("SIGKILL"));
  let shown = "";
  child.stdout.on("data", (chunk: Buffer) => {
    shown += chunk.toString("utf8");
  });
  return {
    shown: () => shown,
    type: (text) => void child.stdin.write(text),
    kill: () => void child.kill("SIGKILL"),
    exitCode: new Promise((resolve) => {
      child.once("close", (code) => resolve(code));
    }),
  };
}

describe.skipIf(!hasTerminals).each(isolations)("a terminal inside, with $isolation", ({ isolation }) => {
  test("has a name and the size of the caller's, and the exit code is the program's", async () => {
    const { provider } = world(isolation);
    const { id } = await provider.spawn({ key: "k" });
    const script = 'tty && stty size; echo "$1"; echo "$TERM" >/dev/tty; pwd; exit 7';
    const terminal = open(await provider.terminalCommand(id, ["sh", "-c", script, "sh", 'it\'s $HOME\n"b" c']));
    expect(await terminal.exitCode).toBe(7);
    expect(terminal.shown()).toMatch(
      /^\/dev\/(pts\/\d+|ttys\d+)\r\n33 101\r\nit's \$HOME\r\n"b" c\r\n\S+\r\n\S*\/root\r\n$/,
    );
    const killed = open(await provider.terminalCommand(id, ["sh", "-c", "kill -9 $$"]));
    expect(await killed.exitCode).toBe(137);
    const missing = open(await provider.terminalCommand(id, ["no-such-program"]));
    expect(await missing.exitCode).toBe(127);
  });

  test("takes what is typed: Ctrl-C is for the program inside, and Ctrl-D ends the shell", async () => {
    const { provider } = world(isolation);
    const { id } = await provider.spawn({ key: "k" });
    const terminal = open(await provider.terminalCommand(id, ["sh"]));
    const prompted = (times: number) => until(terminal.shown, (shown) => shown.split("ready> ").length > times);
    terminal.type("PS1='re''ady> '\n");
    await prompted(1);
    // It says so itself, so that it is what the Ctrl-C comes to.
    terminal.type("sh -c 'echo be\"\"gan; exec sleep 300'\n");
    await until(terminal.shown, (shown) => shown.includes("began"));
    terminal.type("\u0003");
    await prompted(2);
    terminal.type("echo still he''re\n");
    await until(terminal.shown, (shown) => shown.includes("still here"));
    await prompted(3);
    terminal.type("\u0004");
    expect([0, 130]).toContain(await terminal.exitCode);
  });

  test("ends with its program, also where something is left that holds it open", async () => {
    const { provider } = world(isolation);
    const { id } = await provider.spawn({ key: "k" });
    const script = "trap '' HUP; sleep 302 & head -c 300000 /dev/zero | tr '\\0' x; exit 3";
    const terminal = open(await provider.terminalCommand(id, ["sh", "-c", script]));
    expect(await terminal.exitCode).toBe(3);
    expect(terminal.shown()).toHaveLength(300_000);
  });

  test("that is closed ends what ran on it", async () => {
    const { provider } = world(isolation);
    const { id } = await provider.spawn({ key: "k" });
    const terminal = open(await provider.terminalCommand(id, ["sh", "-c", "echo $$; exec sleep 301"]));
    await until(terminal.shown, (shown) => /^\d+\r\n/.test(shown));
    terminal.kill();
    const look = async (): Promise<string> =>
      (await provider.exec(id, ["sh", "-c", "cat /proc/[0-9]*/cmdline"])).stdout;
    await until(look, (seen) => !seen.includes("sleep\u0000301"));
  });

  test("is not promised of an instance that has ended, or was never there", async () => {
    const { provider } = world(isolation);
    const { id } = await provider.spawn({ key: "k" });
    await expect(provider.terminalCommand(id, [])).rejects.toMatchObject({ code: "INVALID_SPEC", effect: "none" });
    await provider.terminate(id);
    await expect(provider.terminalCommand(id, ["sh"])).rejects.toMatchObject({
      effect: "none",
      operation: "terminalCommand",
    });
    await expect(provider.terminalCommand("local-nothing", ["sh"])).rejects.toMatchObject({ code: "NOT_FOUND" });
  });
});
