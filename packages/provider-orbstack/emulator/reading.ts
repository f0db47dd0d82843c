import { notFound, printed, Refusal } from "./answer.ts";
import { type CommandSpec, has, parseArguments, valueOf } from "./arguments.ts";
import type { Command, CommandTable } from "./command.ts";
import { find, withState } from "./daemon.ts";
import { sizeText } from "./sizes.ts";
import type { MachineRecord, OrbState } from "./state.ts";

const FORMAT = { names: ["-f", "--format"], value: true };
const LIST: CommandSpec = {
  flags: [FORMAT, { names: ["-q", "--quiet"] }, { names: ["-r", "--running"] }],
  words: [0, 0],
};
const INFO: CommandSpec = { flags: [FORMAT], words: [1, 1] };

const list: Command = async (daemon, args) => {
  const parsed = parseArguments("list", LIST, args);
  const format = checkedFormat(valueOf(parsed, "--format"));
  return await withState(daemon, (state) => {
    const stale = state.ghosts.map(({ machine }) => machine);
    const rows = [...state.machines, ...stale].filter(
      (machine) => !has(parsed, "--running") || machine.state === "running",
    );
    if (format === "json") {
      if (state.engineSettings.listReturnsNull) return printed("null\n");
      return printed(`${JSON.stringify(rows.map((row) => recordOf(state, row)))}\n`);
    }
    if (has(parsed, "--quiet")) return printed(rows.map(({ name }) => `${name}\n`).join(""));
    return printed(table(rows));
  });
};

const info: Command = async (daemon, args) => {
  const parsed = parseArguments("info", INFO, args);
  const [selector = ""] = parsed.words;
  const format = checkedFormat(valueOf(parsed, "--format"));
  return await withState(daemon, (state) => {
    if (selector === "docker" || selector === "k8s") return printed(`${JSON.stringify(builtin(selector))}\n`);
    const machine = find(state, selector);
    if (machine === undefined) throw notFound(selector);
    const { ip4, ip6 } = machine;
    if (format !== "json") return printed(`Architecture: ${machine.image.arch}\nIPv4: ${ip4 ?? ""}\n`);
    const body = {
      record: recordOf(state, machine),
      disk_size: machine.disk_size,
      ...(machine.state === "running" && ip4 !== undefined ? { ip4, ip6 } : {}),
      ...(state.engineSettings.extraFields ? { mac_address: "52:54:00:00:00:01" } : {}),
    };
    return printed(`${JSON.stringify(body)}\n`);
  });
};

function checkedFormat(format: string | undefined): "json" | "text" {
  if (format === undefined || format === "text") return "text";
  if (format === "json") return "json";
  throw new Refusal(`[fake] unknown format: ${format}`);
}

/** A row as `list` has it, and `info` inside of `record`. */
function recordOf({ engineSettings }: OrbState, { id, name, image, config, state, limits }: MachineRecord): object {
  const { isolated, default_username, mounts } = config;
  const { cpu, memory_mib, disk_bytes } = limits;
  return {
    id,
    name,
    image,
    config: {
      ...(engineSettings.oldSchema
        ? { isolated, default_username, ...(mounts === undefined ? {} : { mounts }) }
        : config),
      ...(engineSettings.limitsInRecord
        ? {
            ...(cpu === 0 ? {} : { cpu_limit: cpu }),
            ...(memory_mib === 0 ? {} : { memory_limit_mib: memory_mib }),
            ...(disk_bytes === 0 ? {} : { disk_limit_bytes: disk_bytes }),
          }
        : {}),
    },
    builtin: false,
    state,
    ...(engineSettings.extraFields ? { favourite: false } : {}),
  };
}

function builtin(name: string): object {
  return {
    record: {
      id: `01GQQVF6C60000000000${name.toUpperCase().padEnd(6, "0").slice(0, 6)}`,
      name,
      image: { distro: name, version: "latest", arch: "arm64", variant: "default" },
      config: { isolated: false, default_username: "root" },
      builtin: true,
      state: "running",
    },
    disk_size: 0,
  };
}

const HEADER = ["NAME", "STATE", "DISTRO", "VERSION", "ARCH", "SIZE", "IP"];

function table(rows: readonly MachineRecord[]): string {
  const lines = [
    HEADER,
    HEADER.map((title) => "-".repeat(title.length)),
    ...rows.map(({ name, state, image, disk_size, ip4 }) => [
      name,
      state,
      image.distro,
      image.version,
      image.arch,
      sizeText(disk_size),
      ip4 ?? "",
    ]),
  ];
  const widths = HEADER.map((_title, at) => Math.max(...lines.map((line) => line[at]?.length ?? 0)));
  const padded = lines.map((line) => line.map((cell, at) => cell.padEnd(widths[at] ?? 0)).join("  "));
  return padded.map((line) => `${line.trimEnd()}\n`).join("");
}

export const readingCommands: CommandTable = { list, info };
