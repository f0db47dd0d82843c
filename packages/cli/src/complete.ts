import { type Complete, RootCommand } from "@bomb.sh/tab";
import { type Argument, Command, type Option } from "commander";
import { addCommonOptions } from "./command.ts";
import { COMMANDS } from "./command-table.ts";
import { Providers } from "./providers.ts";
import { StateDirectory } from "./state-directory.ts";
import type { World } from "./world.ts";

/**
 * Prints what the shell may put at the end of these words, a line each: what the completion scripts of
 * `slipway completion` call. It calls no provider.
 */
export async function complete(words: readonly string[], world: World): Promise<void> {
  const tab = new RootCommand();
  const values = await valuesFor(world);
  for (const { name, summary, load } of COMMANDS) {
    const command = new Command(name).description(summary);
    // Here no command is run: its flags alone are of interest.
    (await load())(command, addCommonOptions);
    describe(tab, command, "", values);
  }
  tab.parse([...words]);
}

function describe(tab: RootCommand, command: Command, above: string, values: CompletionValues): void {
  const path = `${above} ${command.name()}`.trim();
  const entry = tab.command(path, command.description());
  for (const option of command.options) {
    const name = option.long?.replace(/^--/, "");
    if (name === undefined || option.hidden) continue;
    const takesValue = option.required || option.optional;
    const short = option.short?.replace(/^-/, "");
    if (takesValue) entry.option(name, option.description, offering(option, values), short);
    else entry.option(name, option.description, short);
  }
  for (const argument of command.registeredArguments) {
    entry.argument(argument.name(), offering(argument, values), argument.variadic);
  }
  for (const nested of command.commands) describe(tab, nested, path, values);
}

/** What a value may be: the words that its parser takes, or what its placeholder stands for. */
function offering(value: Option | Argument, values: CompletionValues): (complete: Complete) => void {
  const words = Reflect.get(Object(value.parseArg), "words");
  const name = "flags" in value ? (/[<[](.+?)(?:\.\.\.)?[>\]]/.exec(value.flags)?.[1] ?? "") : value.name();
  const known: unknown = Array.isArray(words) ? words : values.get(name);
  return (complete) => {
    if (!Array.isArray(known)) return;
    for (const word of known) if (typeof word === "string") complete(word, "");
  };
}

/** The values that a placeholder of the command line can have, by its name. File names are the shell's own business. */
export type CompletionValues = ReadonlyMap<string, readonly string[]>;

/** All that is known without a call to a provider, and without running a file of the directory. What cannot be read is not offered. */
async function valuesFor(world: World): Promise<CompletionValues> {
  const state = new StateDirectory(world);
  const [providers, keys] = await Promise.all([
    new Providers(world, state, () => undefined, { runsCode: false }).names().catch(() => []),
    launchedKeys(state).catch(() => []),
  ]);
  return new Map([
    ["provider", providers],
    ["id-or-key", keys],
  ]);
}

async function launchedKeys(state: StateDirectory): Promise<readonly string[]> {
  await state.checkTrust();
  const { fileStore } = await import("@slipway/control");
  const keys = new Set<string>();
  try {
    for await (const { record } of fileStore(state.launches).entries({ kind: "launch" })) {
      if (record.kind === "launch" && record.state !== "ended") keys.add(record.identity.key);
    }
  } catch {
    // The keys that could be read are worth offering.
  }
  return [...keys];
}
