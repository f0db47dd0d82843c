import { cpSync, existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { printed, Refusal, SILENT } from "./answer.ts";
import { type CommandSpec, parseArguments, valueOf } from "./arguments.ts";
import type { Command, CommandTable } from "./command.ts";
import { blank, taken } from "./create.ts";
import { type Daemon, mustFind, withState } from "./daemon.ts";
import { copyRoot, hostPath, layoutOf } from "./machine-root.ts";
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
  const layout = layoutOf(daemon.directory, machine.id);
  const [sources, target] = sourcesAndTarget(parsed.words, ".");
  for (const source of sources) {
    const from = hostPath(layout, source);
    if (from === null || !existsSync(from)) throw new Refusal(`cp: ${source}: No such file or directory`);
    copy(from, target);
  }
  return SILENT;
};

const push: Command = async (daemon, args) => {
  const parsed = parseArguments("push", COPY, args);
  const machine = await machineFor(daemon, valueOf(parsed, "--machine"));
  const layout = layoutOf(daemon.directory, machine.id);
  const [sources, target] = sourcesAndTarget(parsed.words, "/root");
  const to = hostPath(layout, target);
  if (to === null) throw new Refusal(`cp: ${target}: Permission denied`);
  mkdirSync(layout.root, { recursive: true });
  for (const source of sources) {
    if (!existsSync(source)) throw new Refusal(`cp: ${source}: No such file or directory`);
    mkdirSync(dirname(to), { recursive: true });
    copy(source, to);
  }
  await withState(daemon, (state) => void (state.changes += 1));
  return SILENT;
};

/** Into a directory, if the target is one. */
function copy(source: string, target: string): void {
  const isDirectory = existsSync(target) && statSync(target).isDirectory();
  cpSync(source, isDirectory ? join(target, basename(source)) : target, { recursive: true });
}

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
  await withState(daemon, (state) => {
    if (state.machines.some((machine) => machine.name === name)) throw taken(name);
    state.made += 1;
    const { id } = blank(daemon, state, name, record.image);
    copyRoot(daemon.directory, from, id);
    state.machines.push({ ...blank(daemon, state, name, record.image), config: record.config, state: "stopped" });
    state.changes += 1;
  });
  return SILENT;
};

export const fileCommands: CommandTable = { push, pull, export: exportMachine, import: importMachine };
