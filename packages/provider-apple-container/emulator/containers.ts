import type { ProgramAnswer } from "@slipway/provider-kit/command";
import { aggregated, lines, printed, Refusal } from "./answer.ts";
import { allOf, parseArguments, type VerbSpec, valueOf } from "./arguments.ts";
import { containerElement } from "./container-element.ts";
import { compact, pretty } from "./json.ts";
import { boot, halt, type Machine, noticeEnds, removeContainer } from "./machine.ts";
import type { ContainerRecord, MachineState } from "./state.ts";
import type { Verb } from "./verb.ts";

const FORMATS: readonly string[] = ["json", "table", "yaml", "toml"];
const LIST: VerbSpec = {
  options: [{ names: ["-a", "--all"] }, { names: ["-q", "--quiet"] }, { names: ["--format"], value: FORMATS }],
  most: 0,
};
const STOP: VerbSpec = {
  options: [
    { names: ["-a", "--all"] },
    { names: ["-s", "--signal"], value: "text" },
    { names: ["-t", "--time"], value: "int" },
  ],
};
const KILL: VerbSpec = { options: STOP.options.slice(0, 2) };
const DELETE: VerbSpec = { options: [{ names: ["-a", "--all"] }, { names: ["-f", "--force"] }] };

async function start(machine: Machine, args: readonly string[]): Promise<ProgramAnswer> {
  const spec = {
    options: [{ names: ["-a", "--attach"] }, { names: ["-i", "--interactive"] }],
    needs: ["container-id"],
    most: 1,
  };
  const [id = ""] = parseArguments("start", spec, args).words;
  await noticeEnds(machine);
  const record = (await machine.store.read()).containers[id];
  if (record === undefined) throw new Refusal(`get failed: container ${id} not found`);
  if (record.sandbox === undefined) await boot(machine, id);
  return lines(id);
}

/** Does it to each; the good ids are printed though others failed. */
async function each(
  machine: Machine,
  verb: "stop" | "kill" | "delete",
  ids: readonly string[],
  act: (record: ContainerRecord) => Promise<void>,
): Promise<ProgramAnswer> {
  if (ids.length === 0) throw new Refusal("no containers specified and --all not supplied");
  await noticeEnds(machine);
  const good: string[] = [];
  const bad: string[] = [];
  for (const id of new Set(ids)) {
    const record = (await machine.store.read()).containers[id];
    try {
      if (record === undefined) throw new Refusal(aggregated(verb, "notFound", `container with ID ${id} not found`));
      await act(record);
      good.push(id);
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      bad.push(error.message);
    }
  }
  const stdout = good.map((id) => `${id}\n`).join("");
  if (bad.length > 0) throw new Refusal(bad.join("\n"), 1, stdout);
  return printed(stdout);
}

/** All that run, where `--all` says so. */
async function named(
  machine: Machine,
  verb: string,
  spec: VerbSpec,
  args: readonly string[],
): Promise<readonly string[]> {
  const parsed = parseArguments(verb, spec, args);
  if (allOf(parsed, "--all").length === 0) return parsed.words;
  if (parsed.words.length > 0) throw new Refusal("explicitly supplied container IDs conflict with the --all flag");
  return Object.keys((await machine.store.read()).containers);
}

const lifecycle: Readonly<Record<string, Verb>> = {
  start,
  stop: async (machine, args) => {
    const ids = await named(machine, "stop", STOP, args);
    return await each(machine, "stop", ids, async ({ id, sandbox }) => {
      if (sandbox === undefined) return;
      await machine.clock.sleep((await machine.store.read()).delays.stopMs);
      await halt(machine, id);
    });
  },
  kill: async (machine, args) => {
    const ids = await named(machine, "kill", KILL, args);
    return await each(machine, "kill", ids, async ({ id, sandbox }) => {
      if (sandbox === undefined) {
        throw new Refusal(aggregated("kill", "invalidState", "no runtime client exists: container is stopped"));
      }
      await halt(machine, id);
    });
  },
  delete: async (machine, args) => {
    const force = allOf(parseArguments("delete", DELETE, args), "--force").length > 0;
    const ids = await named(machine, "delete", DELETE, args);
    return await each(machine, "delete", ids, async ({ id, sandbox }) => {
      if (sandbox !== undefined && !force) {
        throw new Refusal(aggregated("delete", "invalidState", `container ${id} is running and can not be deleted`));
      }
      await removeContainer(machine, id);
    });
  },
};

const HEADER = ["ID", "IMAGE", "OS", "ARCH", "STATE", "IP", "CPUS", "MEMORY", "STARTED"];

function table(records: readonly ContainerRecord[]): string {
  const rows = records.map((record) => [
    record.id,
    record.image,
    "linux",
    "arm64",
    record.sandbox === undefined ? "stopped" : "running",
    record.ipv4 === undefined ? "" : `${record.ipv4}/24`,
    String(record.cpus),
    `${Math.floor(record.memoryBytes / 1024 ** 2)} MB`,
    record.startedAt === undefined ? "" : new Date(record.startedAt).toISOString(),
  ]);
  const all = [HEADER, ...rows];
  const widths = HEADER.map((_title, at) => Math.max(...all.map((row) => row[at]?.length ?? 0)));
  return all
    .map(
      (row) =>
        `${row
          .map((cell, at) => cell.padEnd(widths[at] ?? 0))
          .join("  ")
          .trimEnd()}\n`,
    )
    .join("");
}

/** In another order each time, as a dictionary's. */
function shuffled(records: readonly ContainerRecord[], { changes }: MachineState): readonly ContainerRecord[] {
  return records.length === 0
    ? records
    : [...records.slice(changes % records.length), ...records.slice(0, changes % records.length)];
}

const reading: Readonly<Record<string, Verb>> = {
  list: async (machine, args) => {
    const parsed = parseArguments("list", LIST, args);
    await noticeEnds(machine);
    const state = await machine.store.read();
    const all = allOf(parsed, "--all").length > 0;
    const records = Object.values(state.containers).filter(({ sandbox }) => all || sandbox !== undefined);
    if (allOf(parsed, "--quiet").length > 0) return lines(...records.map(({ id }) => id));
    if (valueOf(parsed, "--format") !== "json") return printed(table(records));
    const elements = shuffled(records, state).map((record) => containerElement(record, state));
    return printed(compact(elements, machine.escapeSlashes));
  },
  inspect: async (machine, args) => {
    const { words } = parseArguments("inspect", { options: [], needs: ["container-ids"] }, args);
    await noticeEnds(machine);
    const state = await machine.store.read();
    const missing = words.filter((id) => state.containers[id] === undefined);
    if (missing.length > 0 && state.version === "0.12.3") return printed("[]\n");
    if (missing.length > 0) throw new Refusal(`container not found: ${missing.join(", ")}`);
    const found = [...new Set(words)].map((id) => state.containers[id]).filter((record) => record !== undefined);
    return printed(pretty(found.map((record) => containerElement(record, state))));
  },
};

export const containerVerbs: Readonly<Record<string, Verb>> = {
  ...lifecycle,
  ...reading,
  // Both have a second name.
  rm: (machine, args, call) => (lifecycle["delete"] as Verb)(machine, args, call),
  ls: (machine, args, call) => (reading["list"] as Verb)(machine, args, call),
};
