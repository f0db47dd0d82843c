import type { ProgramAnswer } from "@slipway/provider-kit/command";
import { daemonRefusal, Refusal, SILENT } from "./answer.ts";
import { type CommandSpec, has, parseArguments } from "./arguments.ts";
import type { Call, Command, CommandTable } from "./command.ts";
import { copyRoot } from "./copy.ts";
import { blank, checkName } from "./create.ts";
import { assertStable, type Daemon, endProcesses, eraseFiles, mustFind, wait, withState } from "./daemon.ts";
import { clearTemporary } from "./machine-root.ts";
import type { MachinePhase, MachineRecord, OrbState } from "./state.ts";

const FORCE = { names: ["-f", "--force"] };
const ALL = { names: ["-a", "--all"] };
const START: CommandSpec = { flags: [ALL], words: [0, 1] };
const STOP: CommandSpec = { flags: [ALL, FORCE], words: [0, 1] };
const RESTART: CommandSpec = { flags: [ALL], words: [0, 1] };
const DELETE: CommandSpec = { flags: [ALL, FORCE], words: [0, 1] };
const TWO: CommandSpec = { words: [2, 2] };

/** How often a client looks whether the daemon is done. */
const LOOK_MS = 50;

const start: Command = async (daemon, args, call) => {
  const parsed = parseArguments("start", START, args);
  const [selector] = parsed.words;
  if (has(parsed, "--all")) return await each(daemon, call, begun("starting", "running", "start"));
  if (selector === undefined || selector === "") {
    return await startEngine(daemon);
  }
  if (["docker", "k8s"].includes(selector)) return SILENT;
  return await one(daemon, call, selector, begun("starting", "running", "start"));
};

const stop: Command = async (daemon, args, call) => {
  const parsed = parseArguments("stop", STOP, args);
  const [selector] = parsed.words;
  if (has(parsed, "--all")) return await each(daemon, call, begun("stopping", "stopped", "stop"));
  // No name, or an empty one: everything that runs in OrbStack ends, and OrbStack with it.
  if (selector === undefined || selector === "") return await stopEngine(daemon);
  return await one(daemon, call, selector, begun("stopping", "stopped", "stop"));
};

const restart: Command = async (daemon, args, call) => {
  const parsed = parseArguments("restart", RESTART, args);
  const [selector = ""] = parsed.words;
  await one(daemon, call, selector, begun("stopping", "stopped", "stop"));
  return await one(daemon, call, selector, begun("starting", "running", "start"));
};

/** What ran when OrbStack was stopped runs again. */
async function startEngine(daemon: Daemon): Promise<ProgramAnswer> {
  await withState(daemon, (state) => {
    if (state.engine === "Running") return;
    state.engine = "Running";
    for (const machine of state.machines) {
      if (machine.ranBefore !== true) continue;
      machine.ranBefore = false;
      machine.state = "starting";
      machine.steps = [{ at: daemon.clock.now() + state.latencyMs.start, to: "running" }];
    }
  });
  return SILENT;
}

async function stopEngine(daemon: Daemon): Promise<ProgramAnswer> {
  await withState(daemon, async (state) => {
    for (const machine of state.machines) {
      await endProcesses(daemon, machine);
      machine.ranBefore = machine.state === "running";
      if (machine.ranBefore) machine.steps = [{ at: daemon.clock.now(), to: "stopped" }];
    }
    state.engine = "Stopped";
    state.engineStops += 1;
    state.changes += 1;
  });
  return SILENT;
}

type Begin = (daemon: Daemon, state: OrbState, machine: MachineRecord) => Promise<void>;

/** Begins a transition, unless the machine is there already. */
function begun(by: MachinePhase, to: MachinePhase, latency: "start" | "stop"): Begin {
  return async (daemon, state, machine) => {
    if (machine.state === to) return;
    // Somebody else has begun the same.
    if (machine.state === by) return;
    assertStable(machine, by);
    if (to === "stopped") {
      await endProcesses(daemon, machine);
      clearTemporary(daemon.directory, machine.id);
    }
    machine.state = by;
    machine.steps = [{ at: daemon.clock.now() + state.latencyMs[latency], to }];
    state.changes += 1;
  };
}

async function one(daemon: Daemon, call: Call, selector: string, begin: Begin): Promise<ProgramAnswer> {
  const id = await withState(daemon, async (state) => {
    const machine = mustFind(state, selector);
    await begin(daemon, state, machine);
    return machine.id;
  });
  await settled(daemon, id, call.signal);
  const lost = await withState(daemon, (state) => state.machines.every((each) => each.id !== id));
  if (lost) throw daemonRefusal("machine didn't start in 30s (missing IP address)");
  return SILENT;
}

async function each(daemon: Daemon, call: Call, begin: Begin): Promise<ProgramAnswer> {
  const names = await withState(daemon, (state) => state.machines.map(({ name }) => name));
  for (const name of names) await one(daemon, call, name, begin);
  return SILENT;
}

/** Waits until nothing is to come any more for a machine, or it is gone. */
async function settled(daemon: Daemon, id: string, signal: AbortSignal): Promise<void> {
  for (;;) {
    // Not by `find`: another machine may have this id as its name.
    const next = await withState(daemon, (state) => state.machines.find((each) => each.id === id)?.steps[0]?.at);
    if (next === undefined) return;
    await wait(daemon, Math.max(LOOK_MS, next - daemon.clock.now()), signal);
  }
}

const remove: Command = async (daemon, args, call) => {
  const parsed = parseArguments("delete", DELETE, args);
  const [selector] = parsed.words;
  if (has(parsed, "--all")) throw new Refusal("[fake] delete --all is not emulated");
  if (selector === undefined || selector === "") throw new Refusal("delete: requires at least 1 arg(s)");
  const id = await withState(daemon, async (state) => {
    const machine = mustFind(state, selector);
    if (machine.name !== selector && state.engineSettings.crashOnDeleteById && state.version === "2.2.3") throw crash();
    if (!has(parsed, "--force") && state.engineSettings.strictForce) throw new Refusal("[fake] delete needs --force");
    assertStable(machine, "deleting");
    assertRoom(state, machine, "delete rootfs: remove all: unlinkat");
    await eraseFiles(daemon, machine);
    machine.state = "deleting";
    machine.steps = [{ at: daemon.clock.now() + state.latencyMs.delete, to: "gone" }];
    state.changes += 1;
    return machine.id;
  });
  await settled(daemon, id, call.signal);
  return SILENT;
};

function crash(): Refusal {
  return new Refusal(
    "panic: runtime error: invalid memory address or nil pointer dereference\n" +
      "[signal SIGSEGV: segmentation violation code=0x2 addr=0x18 pc=0x1028e1c0c]",
    2,
  );
}

/** At its disk cap a machine can be neither renamed nor deleted, until the cap is lifted. */
function assertRoom(state: OrbState, machine: MachineRecord, doing: string): void {
  if (!state.engineSettings.atDiskCap.includes(machine.name) || machine.limits.disk_bytes === 0) return;
  throw daemonRefusal(`${doing}: no space left on device`);
}

const clone: Command = async (daemon, args, call) => {
  const [from = "", to = ""] = parseArguments("clone", TWO, args).words;
  checkName(to);
  const id = await withState(daemon, async (state) => {
    const source = mustFind(state, from);
    if (state.machines.some(({ name }) => name === to)) {
      throw daemonRefusal(`clone '${from}': machine already exists: '${to}'`);
    }
    assertStable(source, "running");
    state.made += 1;
    const record: MachineRecord = {
      ...blank(daemon, state, to, source.image),
      config: { ...source.config },
      limits: { ...source.limits },
      disk_size: source.disk_size,
      state: "creating",
      steps: [{ at: daemon.clock.now() + state.latencyMs.clone, to: "stopped" }],
    };
    // The copy is of this very moment.
    await copyRoot(daemon, source.id, record.id);
    state.machines.push(record);
    state.changes += 1;
    return record.id;
  });
  await settled(daemon, id, call.signal);
  return SILENT;
};

const rename: Command = async (daemon, args) => {
  const [from = "", to = ""] = parseArguments("rename", TWO, args).words;
  checkName(to);
  await withState(daemon, (state) => {
    const machine = mustFind(state, from);
    if (state.machines.some(({ name }) => name === to)) throw daemonRefusal(`machine already exists: '${to}'`);
    assertStable(machine, machine.state);
    assertRoom(state, machine, "rename");
    if (state.default === machine.name) state.default = to;
    machine.name = to;
    state.changes += 1;
  });
  return SILENT;
};

export const lifecycleCommands: CommandTable = { start, stop, restart, delete: remove, clone, rename };
