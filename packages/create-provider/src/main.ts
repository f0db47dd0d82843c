import { resolve } from "node:path";
import { parseArgs } from "node:util";
import {
  type Answers,
  CreateError,
  checkedCapabilities,
  checkedName,
  checkedPackageName,
  checkedTransport,
  type Given,
} from "./answers.ts";
import { CAPABILITIES } from "./capabilities.ts";
import { ownVersion } from "./versions.ts";
import { writePackage } from "./write-package.ts";

const USAGE = `npm create @slipway/provider <name> [-- options]

  --transport http|cli       how the remote is reached (default: http)
  --capabilities a,b         what it can beyond the core methods (default: none)
  --package <name>           the package's name (default: slipway-provider-<name>)
  --directory <path>         where it is written (default: ./slipway-provider-<name>)
  --yes                      ask nothing: what is not given has its default

Capabilities: ${CAPABILITIES.filter((one) => one.offered)
  .map((one) => one.name)
  .join(", ")}
`;

const OPTIONS = {
  transport: { type: "string" },
  capabilities: { type: "string" },
  package: { type: "string" },
  directory: { type: "string" },
  yes: { type: "boolean", short: "y" },
  help: { type: "boolean", short: "h" },
  version: { type: "boolean" },
} as const;

/**
 * Runs one command line, and resolves with the exit code.
 *
 * @example
 * ```ts
 * const exitCode = await main(["my-cloud", "--yes"]);
 * ```
 */
export async function main(argv: readonly string[]): Promise<number> {
  try {
    const given = read(argv);
    if (typeof given === "string") {
      process.stdout.write(given === "help" ? USAGE : `${await ownVersion()}\n`);
      return 0;
    }
    const interactive = process.stdin.isTTY && process.stdout.isTTY && given.yes !== true;
    const complete = interactive ? await ask(given) : given;
    if (complete === null) return 130;
    const answers = answersOf(complete);
    const files = await writePackage(answers);
    process.stdout.write(summary(answers, files.length));
    return 0;
  } catch (error) {
    if (!(error instanceof CreateError)) throw error;
    const hint = error.hint === undefined ? "" : `  hint    ${error.hint}\n`;
    process.stderr.write(`create-provider: error ${error.code}: ${error.message}\n${hint}`);
    return 2;
  }
}

function read(argv: readonly string[]): Given | "help" | "version" {
  try {
    const { values, positionals } = parseArgs({ args: [...argv], options: OPTIONS, allowPositionals: true });
    if (values.help === true) return "help";
    if (values.version === true) return "version";
    const [name, ...more] = positionals;
    if (more.length > 0)
      throw new CreateError("UNEXPECTED_ARGUMENT", `one name is wanted, and not also ${more.join(" ")}`);
    const { help: _help, version: _version, ...given } = values;
    return { ...given, name };
  } catch (error) {
    if (error instanceof CreateError) throw error;
    throw new CreateError(
      "UNKNOWN_OPTION",
      error instanceof Error ? error.message : "an option is wrong",
      "--help shows all.",
    );
  }
}

function answersOf(given: Given): Answers {
  if (given.name === undefined)
    throw new CreateError(
      "MISSING_NAME",
      "the provider's name is missing",
      "As in: npm create @slipway/provider my-cloud",
    );
  const name = checkedName(given.name);
  const packageName = checkedPackageName(given.package ?? `slipway-provider-${name}`);
  return {
    name,
    packageName,
    transport: checkedTransport(given.transport ?? "http"),
    capabilities: checkedCapabilities(given.capabilities ?? ""),
    directory: resolve(given.directory ?? `slipway-provider-${name}`),
  };
}

function summary({ directory, packageName }: Answers, files: number): string {
  return `${packageName}: ${files} files in ${directory}

  cd ${/^[\w@%+=:,./-]+$/.test(directory) ? directory : JSON.stringify(directory)}
  npm install
  npm test          the whole contract suite, green from the start

Its README says what to replace by your remote, and in which order.
`;
}

/** Asks for what the command line leaves open. Null: the user pressed Ctrl-C. */
async function ask(given: Given): Promise<Given | null> {
  // Loaded here: with --yes nobody is asked.
  const { isCancel, multiselect, select, text } = await import("@clack/prompts");
  const name =
    given.name ?? (await text({ message: "The provider's name", placeholder: "my-cloud", validate: faultOf }));
  if (isCancel(name)) return null;
  const transport =
    given.transport ??
    (await select({
      message: "How is the remote reached?",
      options: [
        { value: "http", label: "http", hint: "an API" },
        { value: "cli", label: "cli", hint: "a program" },
      ],
    }));
  if (isCancel(transport)) return null;
  if (given.capabilities !== undefined) return { ...given, name, transport };
  const chosen = await multiselect({
    message: "What can it beyond the core methods?",
    required: false,
    options: CAPABILITIES.filter((one) => one.offered).map((one) => ({
      value: one.name,
      label: one.name,
      hint: one.about,
    })),
  });
  if (isCancel(chosen)) return null;
  return { ...given, name, transport, capabilities: chosen.join(",") };
}

function faultOf(name: string | undefined): string | undefined {
  try {
    checkedName(name ?? "");
    return undefined;
  } catch (error) {
    if (error instanceof CreateError) return `${error.message}. ${error.hint ?? ""}`;
    throw error;
  }
}
