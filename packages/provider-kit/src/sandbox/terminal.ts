import { execFile } from "node:child_process";
import { enterSandbox } from "./exec.ts";
import type { Sandbox } from "./isolation.ts";
import { SandboxError } from "./layout.ts";

/** A program of this machine, to be run on the terminal of whoever starts it. */
export interface SandboxTerminalCommand {
  readonly file: string;
  readonly args: readonly string[];
}

export interface SandboxTerminalOptions {
  /** Read for `TERM` alone: what kind of terminal it is. The process's own if absent. */
  readonly variables?: Readonly<Record<string, string | undefined>> | undefined;
  readonly platform?: NodeJS.Platform | undefined;
  /** Where programs are looked for. */
  readonly directories?: readonly string[] | undefined;
}

type PutOnTerminal = (command: readonly string[]) => readonly string[];

// Those that a sandbox sees too come first.
const DIRECTORIES = ["/usr/bin", "/bin", "/usr/local/bin", "/opt/homebrew/bin"];
const PROBE_TIMEOUT_MS = 10_000;

/**
 * A command that runs a program inside on a terminal of its own, and joins that to the caller's. The caller's terminal
 * itself is never handed in: who holds a terminal can type on it. Throws SandboxError `no-terminal` where no program of
 * this machine makes terminals.
 */
export async function sandboxTerminal(
  sandbox: Sandbox,
  argv: readonly string[],
  options: SandboxTerminalOptions = {},
): Promise<SandboxTerminalCommand> {
  if (argv.length === 0 || argv.some((word) => word.includes("\0"))) {
    throw new SandboxError("invalid", "a command needs at least one word, and no word may hold NUL");
  }
  const { platform = process.platform, directories = DIRECTORIES, variables = process.env } = options;
  const onTerminal = await findTerminalMaker(platform, directories);
  if (onTerminal === null) {
    throw new SandboxError(
      "no-terminal",
      "a terminal is made by script of util-linux or by python3, and neither is here",
    );
  }
  // A terminal of the host has no name in the sandbox's own /dev, and tmux and gpg ask for it: so another one inside.
  const inside = sandbox.isolation === "bubblewrap" ? onTerminal(argv) : argv;
  const own = { TERM: variables["TERM"] || "dumb" };
  const { file, args, environment } = await enterSandbox(sandbox, inside, own);
  const settings = Object.entries(environment).map(([name, value]) => `${name}=${value}`);
  return { file: "/usr/bin/env", args: ["-i", ...settings, ...onTerminal([file, ...args])] };
}

async function findTerminalMaker(
  platform: NodeJS.Platform,
  directories: readonly string[],
): Promise<PutOnTerminal | null> {
  // Unlike script, it ends when the caller's terminal is closed.
  if ((await versionOf("python3", directories)).startsWith("Python 3")) return putByPython;
  if (platform === "darwin") return (command) => ["script", "-q", "/dev/null", ...command];
  if ((await versionOf("script", directories)).includes("util-linux")) return putByUtilLinux;
  return null;
}

/** What a program says of its version; empty where it is missing, or does not know the question. */
function versionOf(program: string, directories: readonly string[]): Promise<string> {
  return new Promise((resolve) => {
    const env = { PATH: directories.join(":"), LC_ALL: "C" };
    execFile("/usr/bin/env", [program, "--version"], { env, timeout: PROBE_TIMEOUT_MS }, (error, stdout) =>
      resolve(error === null ? stdout : ""),
    );
  });
}

/** It takes a line for a shell, by $SHELL, which is /bin/sh in a sandbox's environment. */
const putByUtilLinux: PutOnTerminal = (command) => {
  const line = command.map((word) => `'${word.replaceAll("'", String.raw`'\''`)}'`).join(" ");
  return ["script", "--quiet", "--return", "--command", `exec ${line}`, "/dev/null"];
};

// `pty.spawn` of Python hands no size on, and waits for whatever the program left behind.
const PYTHON = `
import fcntl, os, pty, select, signal, sys, termios, tty

def hand_on(source, target):
    try:
        fcntl.ioctl(target, termios.TIOCSWINSZ, fcntl.ioctl(source, termios.TIOCGWINSZ, bytes(8)))
    except OSError:
        pass

caller = os.dup(0)
os.set_inheritable(caller, False)
program, terminal = pty.fork()
if program == 0:
    # Here, and not from outside: the program may ask for it at once.
    hand_on(caller, 0)
    try:
        os.execvp(sys.argv[1], sys.argv[1:])
    except OSError as error:
        print(error, file=sys.stderr, flush=True)
    os._exit(127)

def resize(*_):
    hand_on(0, terminal)

def end(number, _):
    restore()
    os._exit(128 + number)

def restore():
    try:
        termios.tcsetattr(0, termios.TCSADRAIN, before)
    except termios.error:
        pass

def copy(source, target):
    try:
        chunk = os.read(source, 65536)
    except OSError:
        return False
    rest = chunk
    while rest:
        rest = rest[os.write(target, rest):]
    return chunk != b""

before = termios.tcgetattr(0)
woken, wake = os.pipe()
os.set_blocking(wake, False)
signal.set_wakeup_fd(wake)
signal.signal(signal.SIGWINCH, resize)
signal.signal(signal.SIGCHLD, lambda *_: None)
signal.signal(signal.SIGTERM, end)
signal.signal(signal.SIGHUP, end)
resize()
# What was typed ahead is kept.
tty.setraw(0, termios.TCSADRAIN)
sources = [0, terminal, woken]
status = None
try:
    while True:
        ready = select.select(sources, [], [], None if status is None else 0)[0]
        if terminal in ready and not copy(terminal, 1):
            break
        if 0 in ready and not copy(0, terminal):
            sources.remove(0)
            os.write(terminal, b"\\x04")
        if woken in ready:
            os.read(woken, 4096)
            ended, code = os.waitpid(program, os.WNOHANG)
            if ended != 0:
                status = code
        elif status is not None and terminal not in ready:
            break
except OSError:
    pass
restore()
os.close(terminal)
if status is None:
    status = os.waitpid(program, 0)[1]
code = os.waitstatus_to_exitcode(status)
sys.exit(code if code >= 0 else 128 - code)
`;

// Isolated: else a file named tty.py, in the directory of whoever starts it, would be run.
const putByPython: PutOnTerminal = (command) => ["python3", "-I", "-c", PYTHON, ...command];
