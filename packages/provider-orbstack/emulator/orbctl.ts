import type { Clock } from "@slipway/core";
import type { ProgramAnswer } from "@slipway/provider-kit/command";
import type { FaultScript, StateStore } from "@slipway/provider-kit/emulator";
import { Refusal } from "./answer.ts";
import { boxed } from "./banner.ts";
import type { Call, Command, CommandTable } from "./command.ts";
import { takeContractFault, wordsOf } from "./contract-faults.ts";
import { create } from "./create.ts";
import { type Daemon, withState } from "./daemon.ts";
import { engineCommands } from "./engine.ts";
import { fileCommands } from "./files.ts";
import { lifecycleCommands } from "./lifecycle.ts";
import { readingCommands } from "./reading.ts";
import { runCommands } from "./run.ts";
import type { CommandFault, OrbState } from "./state.ts";

export interface OrbctlOptions {
  readonly store: StateStore<OrbState>;
  readonly clock: Clock;
  /** Where the machines' files lie. */
  readonly directory: string;
  /** The client's environment: HOME must be in it. */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Undefined: it was closed. */
  readonly stdin?: string | Uint8Array | undefined;
  /** Faults by the contract's methods or by subcommands, in the real texts. */
  readonly faults?: FaultScript | undefined;
  /** Ends the client; the daemon goes on. The call rejects with the signal's reason. */
  readonly signal?: AbortSignal | undefined;
  readonly onStdout?: ((chunk: string) => void) | undefined;
  readonly onStderr?: ((chunk: string) => void) | undefined;
  /** Keeps simulated time where it is while real processes work. */
  readonly real?: (<T>(work: () => Promise<T>) => Promise<T>) | undefined;
}

const help: Command = async () => ({
  stdout: `Usage:\n  orbctl [command]\n\n${Object.keys(COMMANDS).join("\n")}\n`,
  stderr: "",
  code: 0,
});

const COMMANDS: CommandTable = {
  help,
  create,
  add: create,
  new: create,
  ...lifecycleCommands,
  ...readingCommands,
  ...runCommands,
  ...fileCommands,
  ...engineCommands,
};
const ALIASES: Readonly<Record<string, string>> = {
  "": "help",
  "--help": "help",
  "-h": "help",
  "--version": "version",
  "-V": "version",
};
/** These answer whether the engine runs or not. */
const LOCAL: ReadonlySet<string> = new Set(["help", "version", "status", "doctor", "update", "ssh"]);
/** These do where they name no machine. */
const OF_ENGINE: ReadonlySet<string> = new Set(["start", "stop"]);

/** These pass on what a program prints as it comes. */
const STREAMED: ReadonlySet<string> = new Set(["run", "exec", "shell"]);

/**
 * One call of `orbctl`. It rejects only where the client is ended; everything else is an answer.
 *
 * @example
 * ```ts
 * import { orbstackEmulator } from "@slipway/provider-orbstack/emulator";
 *
 * const { code, stdout } = await orbstackEmulator().orbctl(["list", "--format", "json"]);
 * ```
 */
export async function orbctl(argv: readonly string[], options: OrbctlOptions): Promise<ProgramAnswer> {
  const daemon: Daemon = {
    store: options.store,
    clock: options.clock,
    directory: options.directory,
    real: options.real ?? ((work) => work()),
  };
  const call: Call = {
    stdin: options.stdin,
    env: options.env,
    signal: options.signal ?? new AbortController().signal,
    onStdout: options.onStdout,
    onStderr: options.onStderr,
  };
  try {
    return await answered(daemon, argv, call, options.faults);
  } catch (error) {
    if (error instanceof Refusal) return error.answer;
    throw error;
  }
}

async function answered(
  daemon: Daemon,
  argv: readonly string[],
  call: Call,
  faults: FaultScript | undefined,
): Promise<ProgramAnswer> {
  if ((call.env["HOME"] ?? "") === "") throw new Refusal("panic: $HOME is not defined", 2);
  const [name = "", ...args] = argv;
  const fault = await noted(daemon, argv, call);
  const command = commandFor(name);
  if (fault?.does === "fail") return faultAnswer(fault);
  if (fault?.does === "hang-before") await forEver(call.signal);
  const { engine } = await daemon.store.read();
  // Its real words are not known, so nothing may be read in them.
  const answersAnyway =
    LOCAL.has(ALIASES[name] ?? name) ||
    (OF_ENGINE.has(name) && args.every((word) => word === "" || word.startsWith("-")));
  if (engine !== "Running" && !answersAnyway) throw new Refusal("[fake] OrbStack is not running");
  const answer = await underContractFault(daemon, argv, call, faults, () => command(daemon, args, call));
  if (fault?.does === "garble") return { ...answer, stdout: `${answer.stdout.slice(0, answer.stdout.length / 2)}"` };
  if (fault?.does === "hang" || fault?.does === "vanish") {
    if (fault.does === "hang") await forEver(call.signal);
    return { stdout: "", stderr: "", code: null };
  }
  if (fault?.does === "fail-after" && answer.code === 0) return faultAnswer(fault);
  return boxed(answer, (await daemon.store.read()).engineSettings.banner, STREAMED.has(name));
}

function commandFor(name: string): Command {
  const known = ALIASES[name] ?? name;
  const found = Object.hasOwn(COMMANDS, known) ? COMMANDS[known] : undefined;
  if (found === undefined) throw new Refusal(`unknown command "${name}" for "orbctl"`);
  return found;
}

/** The call stands in the log; the fault that waits for it is used up. */
async function noted(daemon: Daemon, argv: readonly string[], call: Call): Promise<CommandFault | undefined> {
  return await withState(daemon, (state) => {
    state.log.push({ argv, stdin: call.stdin === undefined ? "closed" : "given" });
    if (state.log.length > LOG_LENGTH) state.log.splice(0, state.log.length - LOG_LENGTH);
    const found = state.faults.find(({ command }) => `${argv.join(" ")} `.startsWith(`${command} `));
    if (found === undefined) return undefined;
    found.left -= 1;
    state.faults = state.faults.filter(({ left }) => left > 0);
    return found;
  });
}

const LOG_LENGTH = 50;

async function underContractFault(
  daemon: Daemon,
  argv: readonly string[],
  call: Call,
  faults: FaultScript | undefined,
  work: () => Promise<ProgramAnswer>,
): Promise<ProgramAnswer> {
  const fault = takeContractFault(faults, argv);
  if (fault === undefined) return await work();
  const said = (): ProgramAnswer => ({ stdout: "", ...wordsOf(fault, argv[0] ?? "") });
  if (fault.when === "before") return said();
  const answer = await work();
  if (fault.when === "delayed") await daemon.clock.sleep(fault.delayMs ?? 0, call.signal);
  if (fault.when === "reply-lost") await forEver(call.signal);
  return fault.when === "after" && answer.code === 0 ? said() : answer;
}

function faultAnswer({ stderr, exitCode = 1 }: CommandFault): ProgramAnswer {
  return { stdout: "", stderr: stderr ?? "[fake] it was told to fail\n", code: exitCode };
}

function forEver(signal: AbortSignal): Promise<never> {
  return new Promise((_resolve, reject) => {
    if (signal.aborted) return reject(signal.reason);
    signal.addEventListener("abort", () => reject(signal.reason), { once: true });
  });
}
