import { daemonRefusal, notFound, printed, Refusal, SILENT } from "./answer.ts";
import { type CommandSpec, parseArguments } from "./arguments.ts";
import type { Command, CommandTable } from "./command.ts";
import { find, mustFind, withState } from "./daemon.ts";
import type { Limits, MachineConfig, MachineRecord, OrbState } from "./state.ts";

const NONE: CommandSpec = { words: [0, 0] };

const version: Command = async (daemon, args) => {
  parseArguments("version", NONE, args);
  const state = await daemon.store.read();
  return printed(
    `Version: ${state.version} (${state.build})\nCommit: 0000000000000000000000000000000000000000 (v${state.version})\n`,
  );
};

const status: Command = async (daemon, args) => {
  parseArguments("status", NONE, args);
  const { engine, engineSettings } = await daemon.store.read();
  return { stdout: `${engine}\n`, stderr: "", code: engine === "Stopped" ? engineSettings.statusExitCode : 0 };
};

const pickDefault: Command = async (daemon, args) => {
  const [name] = parseArguments("default", { words: [0, 1] }, args).words;
  return await withState(daemon, (state) => {
    if (name === undefined) return printed(`${state.default ?? "none"}\n`);
    state.default = name === "none" ? null : mustFind(state, name).name;
    return SILENT;
  });
};

const logs: Command = async (daemon, args) => {
  const [name = ""] = parseArguments("logs", { flags: [{ names: ["-a", "--all"] }], words: [1, 1] }, args).words;
  return await withState(daemon, (state) => {
    const machine = find(state, name);
    if (machine === undefined) throw notFound(name);
    if (machine.state === "creating") throw daemonRefusal(`machine '${name}' has no logs of type console`);
    return printed(`${machine.name} login: \n`);
  });
};

const line =
  (command: string, text: string, ...flags: readonly (readonly string[])[]): Command =>
  async (_daemon, args) => {
    parseArguments(command, { flags: flags.map((names) => ({ names })), words: [0, 0] }, args);
    return printed(`${text}\n`);
  };

const LIMITS: Readonly<Record<string, keyof Limits>> = {
  cpu: "cpu",
  memory_mib: "memory_mib",
  disk_bytes: "disk_bytes",
};

/** `machine.NAME.LEAF`, where the name may hold dots. */
function routed(state: OrbState, key: string): { readonly machine: MachineRecord; readonly leaf: string } | null {
  const [, name = "", leaf = ""] = /^machine\.(.+)\.([a-z_]+)$/.exec(key) ?? [];
  if (name === "") return null;
  return { machine: mustFind(state, name), leaf };
}

/** How the other leaves are read and written; `mounts` is not written here. */
const LEAVES: Readonly<
  Record<string, { read: (of: MachineConfig) => string; write?: (to: MachineConfig, value: string) => void }>
> = {
  username: {
    read: (of) => of.default_username,
    write: (to, value) => {
      to.default_username = value;
    },
  },
  mounts: {
    read: ({ mounts = [] }) =>
      mounts
        .map(({ source, destination }) => (destination === undefined ? source : `${source}:${destination}`))
        .join(","),
  },
  isolated: switched("isolated"),
  isolate_network: switched("isolate_network"),
  forward_ssh_agent: switched("forward_ssh_agent"),
};

function switched(name: "isolated" | "isolate_network" | "forward_ssh_agent"): {
  read: (of: MachineConfig) => string;
  write: (to: MachineConfig, value: string) => void;
} {
  return {
    read: (of) => String(of[name]),
    write: (to, value) => {
      to[name] = value === "true";
    },
  };
}

function readLeaf({ limits, config }: MachineRecord, leaf: string): string {
  const limit = LIMITS[leaf];
  if (limit !== undefined) return String(limits[limit]);
  const found = LEAVES[leaf];
  if (found === undefined) throw new Refusal(`[fake] unknown config key: ${leaf}`);
  return found.read(config);
}

function writeLeaf({ limits, config }: MachineRecord, leaf: string, value: string): void {
  const limit = LIMITS[leaf];
  const write = LEAVES[leaf]?.write;
  if (limit !== undefined) limits[limit] = amountOf(value);
  else if (write === undefined) throw new Refusal(`[fake] unknown config key: ${leaf}`);
  else write(config, value);
}

// What is set for all of OrbStack.
const GLOBAL =
  /^(cpu|memory_mib|rosetta|network_bridge|(network|machines|ssh|docker|k8s|app|power|setup)\.[a-z0-9_]+)$/;

function amountOf(value: string): number {
  if (/^\d+(\.\d+)?$/.test(value)) return Number(value);
  throw new Refusal(`[fake] invalid value: ${value}`);
}

const config: Command = async (daemon, args) => {
  const [verb = "", key = "", value = ""] = parseArguments("config", { words: [1, 3] }, args).words;
  return await withState(daemon, (state) => {
    if (verb === "show") {
      return printed(
        Object.entries(state.config)
          .map(([name, each]) => `${name}: ${each}\n`)
          .join(""),
      );
    }
    const target = routed(state, key);
    if (verb === "get")
      return printed(`${target === null ? (state.config[key] ?? "") : readLeaf(target.machine, target.leaf)}\n`);
    if (verb === "add" && target?.leaf === "mounts") {
      const [source = "", destination] = value.split(":");
      const { config: of } = target.machine;
      of.mounts = [...(of.mounts ?? []), destination === undefined ? { source } : { source, destination }];
      state.changes += 1;
      return SILENT;
    }
    if (verb !== "set") throw new Refusal(`[fake] config ${verb} is not emulated`);
    if (target !== null) writeLeaf(target.machine, target.leaf, value);
    else {
      if (!GLOBAL.test(key)) throw new Refusal(`[fake] unknown config key: ${key}`);
      // Another network has its addresses again.
      if (key === "network.subnet4" && state.config[key] !== value) state.ipPoolLeft = 250;
      state.config[key] = value;
    }
    state.changes += 1;
    return SILENT;
  });
};

export const engineCommands: CommandTable = {
  version,
  status,
  default: pickDefault,
  logs,
  config,
  doctor: line("doctor", "No problems found.", ["-f", "--fix"], ["--quiet"]),
  update: line("update", "OrbStack is up to date.", ["--check"]),
  ssh: line("ssh", "Host orb"),
};
