import { readFileSync, writeFileSync } from "node:fs";
import { printed, Refusal, SILENT } from "./answer.ts";
import { type CommandSpec, parseArguments, valueOf } from "./arguments.ts";
import type { Command, CommandTable } from "./command.ts";
import { copyIn, copyOut, copyRoot } from "./copy.ts";
import { blank, taken } from "./create.ts";
import { type Daemon, mustFind, withState } from "./daemon.ts";
import type { MachineRecord } from "./state.ts";

const COPY: CommandSpec = {
  flags: [{ names: ["-m", "--machine"], value: true }],
  words: [1, Number.POSITIVE_INFINITY],
};

async function machineFor(daemon: Daemon, selector: string | undefined): Promise<MachineRecord> {
  return await withState(daemon, (state) => {
    const name = selector ?? state.default ?? "";
    if (name === "") throw new Refusal("[fake] no machine: give one with -m");
    return mustFind(state, name);
  });
}

/** Sources, and where they go: the last word, or here. */
function sourcesAndTarget(words: readonly string[], here: string): readonly [readonly string[], string] {
  return words.length === 1 ? [words, here] : [words.slice(0, -1), words.at(-1) ?? here];
}

// Over the file share: the machine need not run, and is not started.
const pull: Command = async (daemon, args) => {
  const parsed = parseArguments("pull", COPY, args);
  const machine = await machineFor(daemon, valueOf(parsed, "--machine"));
  const [sources, target] = sourcesAndTarget(parsed.words, ".");
  for (const source of sources) await copyOut(daemon, machine.id, source, target);
  return SILENT;
};

const push: Command = async (daemon, args) => {
  const parsed = parseArguments("push", COPY, args);
  const machine = await machineFor(daemon, valueOf(parsed, "--machine"));
  const [sources, target] = sourcesAndTarget(parsed.words, "/root");
  for (const source of sources) await copyIn(daemon, machine.id, source, target);
  await withState(daemon, (state) => void (state.changes += 1));
  return SILENT;
};

const exportMachine: Command = async (daemon, args) => {
  const [name = "", file = ""] = parseArguments("export", { words: [2, 2] }, args).words;
  const machine = await withState(daemon, (state) => mustFind(state, name));
  const { sandbox: _sandbox, ...record } = machine;
  writeFileSync(file, JSON.stringify({ record, from: machine.id }));
  return printed("");
};

const importMachine: Command = async (daemon, args) => {
  const spec: CommandSpec = { flags: [{ names: ["-n", "--name"], value: true }], words: [1, 1] };
  const parsed = parseArguments("import", spec, args);
  const [file = ""] = parsed.words;
  // Its own file, as `export` writes it.
  const { record, from } = JSON.parse(readFileSync(file, "utf8")) as { record: MachineRecord; from: string };
  const name = valueOf(parsed, "--name") ?? record.name;
  await withState(daemon, async (state) => {
    if (state.machines.some((machine) => machine.name === name)) throw taken(name);
    state.made += 1;
    const { id } = blank(daemon, state, name, record.image);
    await copyRoot(daemon, from, id);
    state.machines.push({ ...blank(daemon, state, name, record.image), config: record.config, state: "stopped" });
    state.changes += 1;
  });
  return SILENT;
};

export const fileCommands: CommandTable = { push, pull, export: exportMachine, import: importMachine };
