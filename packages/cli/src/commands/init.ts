import { join } from "node:path";
import { CliError, isSystemError } from "../cli-error.ts";
import { type Configure, oneOf } from "../command.ts";
import { CONFIG_NAMES } from "../config-file.ts";
import { writeNewFile } from "../files.ts";
import { nearestManifest } from "../package-manifest.ts";
import type { Session } from "../session.ts";

interface Flags {
  readonly format?: "js" | "mjs" | "json";
  readonly yes?: boolean;
}

export const configure: Configure = (command, run) => {
  command
    .option(
      "--format <format>",
      "js, mjs or json (default: js where package.json says type module, else mjs)",
      oneOf("js", "mjs", "json"),
    )
    .option("-y, --yes", "do not ask")
    .addHelpText("after", "\nA file that is there is never replaced.\n");
  run<Flags>(command, init);
};

async function init(session: Session, _args: readonly string[], flags: Flags): Promise<void> {
  const { world } = session;
  const config = await session.providers.config();
  const here = CONFIG_NAMES.map((name) => join(world.cwd, name));
  if (config.file !== null && here.includes(config.file)) throw exists(config.file);

  const found = await session.providers.found();
  const provider = session.namedProvider ?? (await ask(session, found, flags.yes === true));
  if (!found.includes(provider)) await session.providers.load(provider);

  const format = flags.format ?? ((await isModule(world.cwd)) ? "js" : "mjs");
  const path = join(world.cwd, `slipway.config.${format}`);
  const written = await writeNewFile(path, contentFor(format, provider, found)).catch((error: unknown) => {
    if (!isSystemError(error)) throw error;
    throw new CliError(
      "UNREADABLE_FILE",
      `${path} cannot be written (${error.code})`,
      "Choose another directory.",
      error,
    );
  });
  if (!written) throw exists(path);
  if (session.json) session.output.document({ file: path, provider });
  else session.output.text(`${path} is written; \`slipway doctor\` checks it.`);
}

/** Is a `.js` file here a module? In a package that does not say so, Node would warn at every command. */
async function isModule(directory: string): Promise<boolean> {
  return (await nearestManifest(directory))?.fields["type"] === "module";
}

async function ask(session: Session, found: readonly string[], yes: boolean): Promise<string> {
  const first = await session.providers.defaultName();
  if (yes || !session.interactive || found.length < 2) return first;
  const answer = await session.world.prompter.text(
    `Which provider is meant where none is named? (${found.join(", ")})`,
    first,
  );
  if (answer === null) throw new CliError("DECLINED", "nothing was written");
  return answer.trim();
}

function contentFor(format: "js" | "mjs" | "json", provider: string, found: readonly string[]): string {
  const providers = Object.fromEntries(found.map((name) => [name, { config: {} }]));
  const config = JSON.stringify({ provider, providers }, null, 2);
  if (format === "json") return `${config}\n`;
  // Names of packages and providers need quotes only where they are no identifiers.
  const literal = config
    .replace(/^(\s*)"([A-Za-z_]\w*)":/gm, "$1$2:")
    .replace(/([}\]"])\n/g, "$1,\n")
    .replaceAll("},,", "},");
  return ["/** @type {import('slipway').SlipwayConfig} */", `export default ${literal.trimEnd()};`, ""].join("\n");
}

function exists(path: string): CliError {
  return new CliError("INVALID_CONFIG", `${path} is there already`, "Edit it, or move it away first.");
}
