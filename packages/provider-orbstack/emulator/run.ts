import type { ProgramAnswer } from "@slipway/provider-kit/command";
import { execInSandbox, SandboxError } from "@slipway/provider-kit/sandbox";
import { daemonRefusal, Refusal } from "./answer.ts";
import { type CommandSpec, parseArguments, valueOf } from "./arguments.ts";
import type { Call, Command, CommandTable } from "./command.ts";
import { type Daemon, mustFind, withState } from "./daemon.ts";
import { lifecycleCommands } from "./lifecycle.ts";
import { ensureSandbox, environmentOf, isolationOf, layoutOf, movedInto } from "./machine-root.ts";
import type { MachineRecord } from "./state.ts";

const RUN: CommandSpec = {
  flags: [
    { names: ["-m", "--machine"], value: true },
    { names: ["-u", "--user"], value: true },
    { names: ["-w", "--workdir"], value: true },
    { names: ["-s", "--shell"] },
    { names: ["-p", "--path"] },
  ],
  words: [0, Number.POSITIVE_INFINITY],
  verbatim: true,
};

/** Runs for real, in the machine's own root. A stopped machine is started for it. */
const run: Command = async (daemon, args, call) => {
  const parsed = parseArguments("run", RUN, args);
  const { words } = parsed;
  const selector = valueOf(parsed, "--machine") ?? (await daemon.store.read()).default;
  if (selector === null || selector === "") throw new Refusal("[fake] no machine: give one with -m");
  const { state, name, default_username } = await withState(daemon, (all) => {
    const machine = mustFind(all, selector);
    return { state: machine.state, name: machine.name, default_username: machine.config.default_username };
  });
  const user = valueOf(parsed, "--user") ?? default_username;
  if (user !== "root" && user !== default_username) throw new Refusal(`user: unknown user ${user}`);
  if (state === "creating" || state === "deleting") throw daemonRefusal(`cannot transition from ${state} to starting`);
  if (state !== "running") await startFor(daemon, name, call);
  if (words.length === 0) return { stdout: "", stderr: "", code: 0 };
  return await daemon.real(() => inside(daemon, name, valueOf(parsed, "--workdir"), words, call));
};

/** Machines start on demand. */
async function startFor(daemon: Daemon, name: string, call: Call): Promise<void> {
  await lifecycleCommands["start"]?.(daemon, [name], call);
}

async function inside(
  daemon: Daemon,
  name: string,
  folder: string | undefined,
  words: readonly string[],
  call: Call,
): Promise<ProgramAnswer> {
  const isolation = await isolationOf();
  const { sandbox, id } = await withState(daemon, async (state) => {
    const machine: MachineRecord = mustFind(state, name);
    return { sandbox: await ensureSandbox(daemon, machine), id: machine.id };
  });
  const layout = layoutOf(daemon.directory, id);
  // Without namespaces it would be a folder of this host.
  const there = folder === undefined || isolation.isolation !== "bubblewrap" ? [] : [...IN_FOLDER, folder];
  const running = execInSandbox(sandbox, movedInto(layout, isolation, [...SESSION, ...there, ...words]), {
    stdin: call.stdin,
    environment: environmentOf(daemon.directory, id, isolation),
    onStdout: call.onStdout,
    onStderr: call.onStderr,
  });
  try {
    // What becomes of the program when its client ends is not known: here it goes on.
    const { exitCode, stdout, stderr } = await Promise.race([running, rejected(call.signal)]);
    return { stdout, stderr, code: exitCode };
  } catch (error) {
    running.catch(() => undefined);
    if (error instanceof SandboxError && error.reason === "gone") {
      throw new Refusal("[fake] the connection to the machine was lost", 255);
    }
    throw error;
  }
}

// The program's session ends with it, and what it left in the background there; what has a session of its own goes on.
const SESSION_SCRIPT = [
  'command -v setsid >/dev/null 2>&1 || exec "$@"',
  // A shell says "Killed" of a program that was killed, and the real client has no shell here.
  "exec 5>&1 6>&2 2>/dev/null",
  // In the foreground, since a shell's background commands never get INT.
  `pid=$(setsid sh -c 'echo $$ >&4; exec 4>&-; exec "$@"' sh "$@" 4>&1 >&5 2>&6 5>&- 6>&-)`,
  "code=$?",
  'kill -KILL "-$pid"',
  'exit "$code"',
].join("\n");
const SESSION = ["sh", "-c", SESSION_SCRIPT, "sh"] as const;
const IN_FOLDER = ["sh", "-c", 'cd "$1" || exit 1; shift; exec "$@"', "sh"] as const;

function rejected(signal: AbortSignal): Promise<never> {
  return new Promise((_resolve, reject) => {
    if (signal.aborted) return reject(signal.reason);
    signal.addEventListener("abort", () => reject(signal.reason), { once: true });
  });
}

export const runCommands: CommandTable = { run, exec: run, shell: run };
