import { createRequire } from "node:module";
import { Command, CommanderError } from "commander";
import { CliError, EXIT, nearestName, usageError } from "./cli-error.ts";
import { addCommonOptions, type Runner } from "./command.ts";
import { COMMANDS } from "./command-table.ts";
import { isRecord } from "./config-file.ts";
import { type FailureContext, reportError } from "./error-report.ts";
import { KNOWN_PROVIDERS, providerFirst } from "./known-providers.ts";
import { machineWorld } from "./machine-world.ts";
import { Secrets } from "./printable.ts";
import { type CommonFlags, Session } from "./session.ts";
import type { World } from "./world.ts";

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
