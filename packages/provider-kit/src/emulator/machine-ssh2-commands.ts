import { type ChildProcess, execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import type { Readable, Writable } from "node:stream";
import type { ServerChannel } from "ssh2";

/** A command of a client of a machine; a shell if it is undefined. */
export interface Entered {
  /** The script that leads into the sandbox. */
  readonly enter: string;
  readonly command: string | undefined;
}

export interface TerminalSize {
  readonly rows: number;
  readonly cols: number;
}

const SCRIPT = "/usr/bin/script";

/** Whether util-linux' `script` is here: Node itself makes no terminals. */
export function canMakeTerminals(): Promise<boolean> {
  return new Promise((resolve) => {
    execFile(SCRIPT, ["--version"], (error, stdout) => resolve(error === null && stdout.includes("util-linux")));
  });
}

/** Runs a command with three pipes. */
export function runPiped(channel: ServerChannel, { enter, command }: Entered): void {
  const child = spawn(enter, [], { env: variables(command), stdio: "pipe" });
  child.stderr.pipe(channel.stderr);
  // The rest of stderr is lost where the channel is closed before it is sent.
  const sent = once(channel.stderr, "finish");
  join(channel, child, sent);
}

/** Runs a command on a terminal of its own. Returns what makes the terminal another size. */
export function runOnTerminal(
  channel: ServerChannel,
  { enter, command }: Entered,
  { rows, cols }: TerminalSize,
): (size: TerminalSize) => void {
  // `script` switches the echo off where its own input is a pipe. Descriptor 3 learns the terminal's name.
  const line = `tty >&3; exec 3>&-; stty echo rows ${rows} cols ${cols}; exec '${enter.replaceAll("'", String.raw`'\''`)}'`;
  const child = spawn(SCRIPT, ["--quiet", "--return", "--flush", "--command", line, "/dev/null"], {
    env: { ...variables(command), SHELL: "/bin/sh" },
    stdio: ["pipe", "pipe", "pipe", "pipe"],
  });
  child.stderr?.resume();
  const named = nameOf(child.stdio[3] as Readable);
  join(channel, child, Promise.resolve());
  // As sshd closes the terminal of a client that is gone; `script` alone would hold it open.
  channel.once("close", () => child.kill("SIGHUP"));
  return (size) => {
    void named.then((terminal) => {
      // It may have ended: then nobody needs its size.
      const gone = terminal === "" || child.exitCode !== null || child.signalCode !== null;
      if (gone) return;
      execFile("stty", ["-F", terminal, "rows", String(size.rows), "cols", String(size.cols)], () => undefined);
    });
  };
}

/** A line, since `script` holds the descriptor open as long as it runs. Empty where it ended before it said the name. */
async function nameOf(source: Readable): Promise<string> {
  try {
    for await (const line of createInterface({ input: source })) return line;
  } catch {
    // It is destroyed when the connection is cut.
  }
  return "";
}

function variables(command: string | undefined): NodeJS.ProcessEnv {
  return { PATH: process.env["PATH"], ...(command === undefined ? {} : { SSH_ORIGINAL_COMMAND: command }) };
}

/** Joins the channel to the command, and ends it with the command's code once `sent` has settled. */
function join(channel: ServerChannel, child: ChildProcess, sent: Promise<unknown>): void {
  const { stdin, stdout, stderr } = child as ChildProcess & { stdin: Writable; stdout: Readable; stderr: Readable };
  for (const stream of [channel, channel.stderr, stdin, stdout, stderr]) stream.on("error", () => undefined);
  channel.pipe(stdin);
  stdout.pipe(channel, { end: false });
  // A connection that is cut fails the stream: there is nothing left to send then, and nobody to send it to.
  const flushed = sent.catch(() => undefined);
  channel.once("close", () => {
    for (const stream of [stdin, stdout, stderr]) stream.destroy();
  });
  child.once("error", () => channel.close());
  child.once("close", (code, signal) => {
    void flushed.then(() => {
      if (signal === null) channel.exit(code ?? 255);
      else channel.exit(signal.replace(/^SIG/, ""));
      channel.end();
    });
  });
}
