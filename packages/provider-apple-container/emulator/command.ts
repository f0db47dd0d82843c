import type { ProgramAnswer } from "@slipway/provider-kit/command";
import { Refusal, serviceDown, usageRefusal } from "./answer.ts";
import { containerVerbs } from "./containers.ts";
import { imageVerbs } from "./images.ts";
import { insideVerbs } from "./inside.ts";
import type { Machine } from "./machine.ts";
import { runVerbs } from "./run.ts";
import type { CommandFault, MachineState } from "./state.ts";
import { networkVerbs, systemVerbs, versionLine } from "./system.ts";
import type { Call, Verb } from "./verb.ts";
import { volumeVerbs } from "./volumes.ts";

const VERBS: Readonly<Record<string, Verb>> = {
  ...runVerbs,
  ...containerVerbs,
  ...insideVerbs,
  ...imageVerbs,
  ...volumeVerbs,
  ...systemVerbs,
};
const FAMILIES: ReadonlySet<string> = new Set(["image", "volume", "network", "system"]);
/** These answer without the service. */
const LOCAL: ReadonlySet<string> = new Set(["system status", "system version", "system start"]);

/** One call of the command, from its arguments to its answer. Rejects only where the call is aborted. */
export async function runCommand(machine: Machine, args: readonly string[], call: Call): Promise<ProgramAnswer> {
  try {
    return await answered(machine, args, call);
  } catch (error) {
    if (error instanceof Refusal) return error.answer;
    throw error;
  }
}

async function answered(machine: Machine, args: readonly string[], call: Call): Promise<ProgramAnswer> {
  const state = await machine.store.read();
  if (args[0] === "--version") return { stdout: versionLine(state.version), stderr: "", code: 0 };
  const [first = "", second = ""] = args;
  const name = FAMILIES.has(first) ? `${first} ${second}` : first;
  const verb = verbOf(name, state);
  if (state.service === "hang") await forEver(call.signal);
  if (state.service !== "running" && !LOCAL.has(name)) {
    if (verb === undefined)
      throw new Refusal("Plugins are unavailable. Start the container system services and retry:", 64);
    throw serviceDown(name, "Connection invalid");
  }
  if (verb === undefined) throw usageRefusal(`<subcommand>`, `Plugin 'container-${first}' not found.`);
  const fault = await takeFault(machine, args, name);
  if (fault?.does === "fail") return faultAnswer(fault);
  if (fault?.does === "hang-before") await forEver(call.signal);
  const answer = await verb(machine, args.slice(FAMILIES.has(first) ? 2 : 1), call);
  if (fault === undefined || answer.code !== 0) return answer;
  if (fault.does === "hang") await forEver(call.signal);
  return fault.does === "vanish" ? { stdout: "", stderr: "", code: null } : faultAnswer(fault);
}

function verbOf(name: string, { macos }: MachineState): Verb | undefined {
  const verbs = macos === 26 ? { ...VERBS, ...networkVerbs } : VERBS;
  return Object.hasOwn(verbs, name) ? verbs[name] : undefined;
}

function faultAnswer({ stderr, exitCode = 1 }: CommandFault): ProgramAnswer {
  return { stdout: "", stderr: stderr ?? "Error: it was told to fail\n", code: exitCode };
}

function forEver(signal: AbortSignal): Promise<never> {
  return new Promise((_resolve, reject) => {
    if (signal.aborted) return reject(signal.reason);
    signal.addEventListener("abort", () => reject(signal.reason), { once: true });
  });
}

/** `exec kubeadm init` is what runs inside, whatever the container. */
function commandLine(args: readonly string[], name: string): string {
  if (name !== "exec") return name;
  const words = args.slice(1).filter((word) => !word.startsWith("-"));
  const [, program = "", ...rest] = words;
  return ["exec", program.slice(program.lastIndexOf("/") + 1), ...rest].join(" ");
}

async function takeFault(machine: Machine, args: readonly string[], name: string): Promise<CommandFault | undefined> {
  const line = `${commandLine(args, name)} `;
  const { faults } = await machine.store.read();
  if (!faults.some(({ command }) => line.startsWith(`${command} `))) return undefined;
  return await machine.store.update((draft) => {
    const found = draft.faults.find(({ command }) => line.startsWith(`${command} `));
    if (found === undefined) return undefined;
    found.left -= 1;
    draft.faults = draft.faults.filter(({ left }) => left > 0);
    return found;
  });
}
