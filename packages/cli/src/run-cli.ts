import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";
import { systemClock } from "@slipway/core";
import { Command, CommanderError } from "commander";
import { CliError, EXIT, nearestName, usageError } from "./cli-error.ts";
import { addCommonOptions, type Runner } from "./command.ts";
import { COMMANDS } from "./command-table.ts";
import { isRecord } from "./config-file.ts";
import { type FailureContext, reportError } from "./error-report.ts";
import { KNOWN_PROVIDERS, providerFirst } from "./known-providers.ts";
import { Secrets } from "./printable.ts";
import { type CommonFlags, Session } from "./session.ts";
import { spawnProcess } from "./spawn-process.ts";
import type { Prompter, TextSink, World } from "./world.ts";

/**
 * Runs one command line, without `node` and the script's name, and resolves with the exit code. What the world leaves
 * open is this process and its machine.
 *
 * @example
 * ```ts
 * const exitCode = await runCli(["list", "--json"]);
 * ```
 */
export async function runCli(words: readonly string[], given: Partial<World> = {}): Promise<number> {
  const commands = COMMANDS.map(({ name }) => name);
  const argv = providerFirst(words, commands, KNOWN_PROVIDERS);
  const world: World = { ...machineWorld(given.signal ?? new AbortController().signal), ...given };
  const secrets = new Secrets();
  const run: Run = { exitCode: EXIT.ok, context: {} };
  try {
    if (argv[0] === "complete" && argv[1] === "--") {
      const { complete } = await import("./complete.ts");
      await complete(argv.slice(2), world);
      return EXIT.ok;
    }
    const program = await programFor(argv, world, secrets, run);
    await program.parseAsync(argv, { from: "user" });
    return run.exitCode;
  } catch (error) {
    if (error instanceof CommanderError && error.exitCode === 0) return EXIT.ok;
    const options = { json: wants(argv, "--json"), verbose: wants(argv, "--verbose"), secrets, context: run.context };
    const exitCode = reportError(error instanceof CommanderError ? usageError(error, argv) : error, world, options);
    return chosenCommand(argv) === "run" && exitCode !== EXIT.interrupted ? EXIT.notTheCommand : exitCode;
  }
}

/** What one command leaves behind. */
interface Run {
  exitCode: number;
  readonly context: FailureContext;
}

/** Read off the words, since the line itself may be what is wrong; behind `--` they are another program's. */
function wants(argv: readonly string[], flag: string): boolean {
  const end = argv.indexOf("--");
  return (end === -1 ? argv : argv.slice(0, end)).includes(flag);
}

async function programFor(argv: readonly string[], world: World, secrets: Secrets, run: Run): Promise<Command> {
  const program = new Command("slipway")
    .description("Launch compute instances on any provider.")
    .version(version(), "-V, --version")
    .enablePositionalOptions()
    .helpCommand("help [command]", "show a command's options and examples")
    .exitOverride()
    .configureOutput({
      writeOut: (text) => world.stdout.write(text),
      // Errors are told once, with a code and a hint, by `reportError`.
      writeErr: () => undefined,
      outputError: () => undefined,
      getOutHasColors: () => false,
    })
    .addHelpText("after", "\n`slipway <command> --help` shows a command's options and examples.\n");
  const chosen = chosenCommand(argv);

  for (const row of COMMANDS) {
    const command = program.command(row.name).description(row.summary);
    if (row.name !== chosen) continue;
    (await row.load())(command, runner(world, secrets, run));
  }
  program.action(() => {
    if (chosen !== undefined) throw unknownCommand(chosen);
    program.outputHelp();
    run.exitCode = EXIT.usage;
  });
  program.allowExcessArguments();
  return program;
}

/** The first word that is no option: only that command's file is loaded. */
function chosenCommand(argv: readonly string[]): string | undefined {
  const words = argv[0] === "help" ? argv.slice(1) : argv;
  const first = words[0];
  return first === undefined || first.startsWith("-") ? undefined : first;
}

function unknownCommand(name: string): CliError {
  const meant = nearestName(
    name,
    COMMANDS.map((row) => row.name),
  );
  return new CliError(
    "UNKNOWN_COMMAND",
    `there is no command ${JSON.stringify(name)}`,
    meant === undefined ? "`slipway --help` lists them." : `Did you mean \`slipway ${meant}\`?`,
  );
}

function runner(world: World, secrets: Secrets, run: Run): Runner {
  return (command, action) => {
    addCommonOptions(command).action(async () => {
      // Its flags are the options that the same file declares.
      const flags = command.opts<Parameters<typeof action>[2] & CommonFlags>();
      const session = new Session(world, flags, secrets, run.context);
      try {
        const exitCode = await action(session, command.args, flags);
        run.exitCode = exitCode ?? (world.signal.aborted ? EXIT.interrupted : EXIT.ok);
      } finally {
        session.progress.stop();
        await session.providers.shutdown();
      }
    });
  };
}

function version(): string {
  const manifest: unknown = createRequire(import.meta.url)("../package.json");
  return isRecord(manifest) && typeof manifest["version"] === "string" ? manifest["version"] : "unknown";
}

/** The world as it is: this process, its streams and its machine. */
function machineWorld(signal: AbortSignal): World {
  return {
    stdin: { isTTY: process.stdin.isTTY === true, read: readStdin },
    stdout: sink(process.stdout),
    stderr: sink(process.stderr),
    env: process.env,
    clock: systemClock,
    cwd: process.cwd(),
    uid: process.getuid?.() ?? null,
    // One folder up, from the source as from the bundle.
    installedAt: fileURLToPath(new URL("..", import.meta.url)),
    signal,
    // Signals are the process's own matter: `main` hands in how.
    handleInterrupts: () => () => undefined,
    loadModule: (specifier) => import(specifier) as Promise<unknown>,
    spawnProcess,
    prompter: terminalPrompter(signal),
    nodeVersion: process.versions.node,
  };
}

function sink(stream: NodeJS.WriteStream): TextSink {
  return {
    write: (text) => stream.write(text),
    isTTY: stream.isTTY === true,
    // Read anew each time: a window changes its width.
    get columns() {
      return stream.columns;
    },
  };
}

async function readStdin(): Promise<Uint8Array> {
  const chunks: Buffer[] = [];
  for await (const chunk of process.stdin) chunks.push(Buffer.from(chunk as Uint8Array));
  return Buffer.concat(chunks);
}

function terminalPrompter(signal: AbortSignal): Prompter {
  const streams = { input: process.stdin, output: process.stderr, signal };
  return {
    async confirm(message) {
      const { confirm, isCancel } = await import("@clack/prompts");
      const answer = await confirm({ message, initialValue: false, ...streams });
      return isCancel(answer) ? null : answer;
    },
    async text(message, initialValue) {
      const { text, isCancel } = await import("@clack/prompts");
      const answer = await text({ message, initialValue, ...streams });
      return isCancel(answer) ? null : answer;
    },
  };
}
