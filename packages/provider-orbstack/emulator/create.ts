import { existsSync, readFileSync } from "node:fs";
import type { ProgramAnswer } from "@slipway/provider-kit/command";
import { daemonRefusal, Refusal, SILENT } from "./answer.ts";
import { allOf, type CommandSpec, has, type Parsed, parseArguments, valueOf } from "./arguments.ts";
import type { Call, Command } from "./command.ts";
import { type Daemon, find, wait, withState } from "./daemon.ts";
import { imageFor, isArch } from "./images.ts";
import { sizeIn } from "./sizes.ts";
import type { Limits, MachineConfig, MachineImage, MachineRecord, OrbState } from "./state.ts";
import { ulid } from "./ulid.ts";

const CREATE: CommandSpec = {
  flags: [
    { names: ["-a", "--arch"], value: true },
    { names: ["-u", "--user"], value: true },
    { names: ["-p", "--set-password"] },
    { names: ["-c", "--user-data"], value: true },
    { names: ["--isolated"] },
    { names: ["--isolate-network"] },
    { names: ["--mount"], value: true },
    { names: ["--forward-ssh-agent"] },
    { names: ["--cpus"], value: true },
    { names: ["--memory"], value: true },
    { names: ["--disk"], value: true },
  ],
  words: [1, 2],
};

/** How much of a creation's time passes before the row says `provisioning`. */
const IMAGE_SHARE = 0.4;
/** How long the engine waits for an address. */
const ADDRESS_MS = 30_000;

/** Synchronous: it answers when the machine runs, or is known not to. */
export const create: Command = async (daemon, args, call) => {
  const parsed = parseArguments("create", CREATE, args);
  const [word = "", name = word.split(":")[0] ?? ""] = parsed.words;
  checkName(name);
  checkFlags(parsed);
  const record = await withState(daemon, (state) => begin(daemon, state, name, word, parsed, call));
  return await finish(daemon, record, `create '${name}'`, call);
};

/** The real text for these is not known. */
export function checkName(name: string): void {
  if (name === "") throw new Refusal("[fake] the name is empty");
  if (["docker", "k8s", "none"].includes(name)) throw new Refusal(`[fake] ${name} is reserved`);
  if (!/^[A-Za-z0-9][A-Za-z0-9_.-]*$/.test(name)) throw new Refusal(`[fake] invalid machine name: ${name}`);
}

function checkFlags(parsed: Parsed): void {
  const arch = valueOf(parsed, "--arch");
  if (arch !== undefined && !isArch(arch)) throw new Refusal(`[fake] invalid architecture: ${arch}`);
  if (allOf(parsed, "--mount").length > 0 && !has(parsed, "--isolated")) {
    throw new Refusal("[fake] --mount needs --isolated");
  }
  const data = valueOf(parsed, "--user-data");
  if (data !== undefined && !existsSync(data)) throw new Refusal(`open ${data}: no such file or directory`);
}

function begin(daemon: Daemon, state: OrbState, name: string, word: string, parsed: Parsed, call: Call): MachineRecord {
  if (find(state, name)?.name === name) throw taken(name);
  const arch = valueOf(parsed, "--arch") === "amd64" ? "amd64" : "arm64";
  const data = valueOf(parsed, "--user-data");
  const variant = data === undefined ? "default" : "cloud";
  const found = imageFor(word);
  if (found === null) {
    const [distro, version = ""] = word.split(":");
    throw daemonRefusal(`create '${name}': make rootfs: image not found: {${distro} ${version} ${arch} ${variant}}`);
  }
  const now = daemon.clock.now();
  const ready = now + state.latencyMs.create;
  state.made += 1;
  const record: MachineRecord = {
    ...blank(daemon, state, name, { ...found, arch, variant }),
    config: configOf(parsed, call),
    limits: limitsOf(parsed),
    state: "creating",
    // Without an address it gives up later than one would be ready.
    steps: [
      { at: now + state.latencyMs.create * IMAGE_SHARE, to: "provisioning" },
      { at: state.ipPoolLeft <= 0 ? ready + ADDRESS_MS : ready, to: "running" },
    ],
    ...(data === undefined ? {} : { userData: readFileSync(data, "utf8") }),
  };
  state.machines.push(record);
  state.changes += 1;
  return record;
}

/** The client waits for the daemon; whoever leaves earlier stops nothing. */
async function finish(daemon: Daemon, record: MachineRecord, doing: string, call: Call): Promise<ProgramAnswer> {
  const last = record.steps.at(-1);
  const ms = last === undefined ? 0 : last.at - daemon.clock.now();
  await wait(daemon, ms, call.signal);
  return await withState(daemon, (state) => {
    const now = state.machines.find(({ id }) => id === record.id);
    if (now !== undefined) return SILENT;
    if (state.ipPoolLeft <= 0) {
      throw daemonRefusal(`${doing}: setup: machine didn't start in 30s (missing IP address)`);
    }
    throw new Refusal(`${doing}: setup: do initial setup: cancel by machine shutdown`);
  });
}

export function taken(name: string): Refusal {
  return daemonRefusal(`create '${name}': machine already exists: '${name}'`);
}

/** A machine that has not begun to exist yet. */
export function blank(daemon: Daemon, state: OrbState, name: string, image: MachineImage): MachineRecord {
  return {
    id: ulid(daemon.clock.now(), `${daemon.directory} ${state.made} ${name}`),
    name,
    image,
    config: {
      isolated: false,
      forward_ssh_agent: true,
      isolate_network: false,
      default_username: "me",
      http_port: 0,
      https_port: 0,
    },
    state: "creating",
    disk_size: 1_155_293_184,
    limits: { cpu: 0, memory_mib: 0, disk_bytes: 0 },
    steps: [],
    stoppedFirst: false,
    made: state.made,
  };
}

function configOf(parsed: Parsed, { env }: Call): MachineConfig {
  const isolated = has(parsed, "--isolated");
  const mounts = allOf(parsed, "--mount").map((each) => {
    const [source = "", destination] = each.split(":");
    return destination === undefined ? { source } : { source, destination };
  });
  return {
    isolated,
    forward_ssh_agent: !isolated || has(parsed, "--forward-ssh-agent"),
    isolate_network: has(parsed, "--isolate-network"),
    default_username: valueOf(parsed, "--user") ?? env["USER"] ?? "me",
    http_port: 0,
    https_port: 0,
    ...(mounts.length === 0 ? {} : { mounts }),
  };
}

function limitsOf(parsed: Parsed): Limits {
  const [cpus, memory, disk] = ["--cpus", "--memory", "--disk"].map((flag) => valueOf(parsed, flag));
  const cpu = cpus === undefined ? 0 : Number(cpus);
  if (cpus === "" || !(cpu >= 0)) throw new Refusal(`invalid argument "${cpus}" for "--cpus" flag`);
  return {
    cpu,
    memory_mib: memory === undefined ? 0 : Math.round(sizeIn(memory, "--memory", 1024 ** 2) / 1024 ** 2),
    disk_bytes: disk === undefined ? 0 : sizeIn(disk, "--disk", 1),
  };
}
