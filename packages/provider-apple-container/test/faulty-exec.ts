import type { Clock, CommandOptions, CommandResult, Exec } from "@slipway/core";
import { CommandError } from "@slipway/provider-kit/command";
import { type Fault, type FaultScript, faultScript } from "@slipway/provider-kit/emulator";
import { appleContainerErrorTable } from "../src/index.ts";
import { fixtures } from "./fixtures.ts";

/** The command that does the work of a contract's method. */
const VERBS: Readonly<Record<string, string>> = {
  spawn: "run",
  terminate: "delete",
  get: "inspect",
  list: "list",
  createVolume: "volume create",
  deleteVolume: "volume delete",
  listVolumes: "volume list",
  onStartup: "system status",
  exec: "exec",
  networks: "network list",
};

export interface FaultyExec {
  readonly exec: Exec;
  readonly faults: FaultScript;
  readonly supports: (fault: Pick<Fault, "operation" | "when" | "code">) => boolean;
  /** From the next fault at `run` on, no container can be read any more, until the faults are cleared. */
  readonly blindAfterRun: () => void;
  /** Whose answer is what no version prints. */
  readonly garble: (verb: string) => void;
  /** Every command that was sent. */
  readonly sent: readonly (readonly string[])[];
}

/** Commands with faults before and after their effect, in the words of `container`. */
export function faultyExec(inner: Exec, clock: Clock, seed = 1): FaultyExec {
  const faults = faultScript(seed);
  const sent: (readonly string[])[] = [];
  let blind: "no" | "soon" | "now" = "no";
  let garbled: string | undefined;

  const exec: Exec = async (file, args, options = {}) => {
    sent.push(args);
    const verb = verbOf(args);
    if (blind === "now" && verb === "inspect") return answer("service-down");
    if (garbled === verb) return { ...(await inner(file, args, options)), stdout: '[{"id":' };
    const fault = faults.take([operationOf(verb), verb]);
    if (fault === undefined) return await inner(file, args, options);
    if (blind === "soon" && verb === "run") blind = "now";
    if (fault.when === "before") return answer(rowFor(fault, verb));
    const result = await inner(file, args, options);
    if (fault.when === "after") return answer(rowFor(fault, verb));
    if (fault.when === "reply-lost") throw ended("timedOut", args);
    await delayed(clock, fault.delayMs ?? 0, args, options);
    return result;
  };
  return {
    exec,
    sent,
    faults: {
      ...faults,
      clear: () => {
        blind = "no";
        garbled = undefined;
        faults.clear();
      },
    },
    supports: ({ operation, when, code }) => {
      const verb = VERBS[operation];
      if (verb === undefined || when === "stale-read") return false;
      return code === undefined || when === "reply-lost" || when === "delayed" || rowsOf(verb, when, code).length > 0;
    },
    blindAfterRun: () => {
      blind = "soon";
    },
    garble: (verb) => {
      garbled = verb;
    },
  };
}

function verbOf([first = "", second = ""]: readonly string[]): string {
  return ["image", "volume", "network", "system"].includes(first) ? `${first} ${second}` : first;
}

function operationOf(verb: string): string {
  return Object.keys(VERBS).find((operation) => VERBS[operation] === verb) ?? verb;
}

function rowsOf(verb: string, when: Fault["when"], code: string): readonly string[] {
  return appleContainerErrorTable
    .filter((row) => row.code === code && (row.verbs?.includes(verb) ?? fitting(row.id, verb)))
    .filter(({ effect }) => (when === "before") === (effect === "none"))
    .map(({ id }) => id);
}

/** A row for every command can be said by each; any other only by the one of its fixture. */
function fitting(row: string, verb: string): boolean {
  return row.startsWith("service-") || fixtures[row]?.verb === verb;
}

function rowFor({ row, when, code }: Fault, verb: string): string {
  return row ?? rowsOf(verb, when, code ?? "UNAVAILABLE")[0] ?? "unknown-words";
}

function answer(row: string): CommandResult {
  const fixture = fixtures[row];
  if (fixture === undefined) throw new Error(`no fixture for ${row}`);
  return { exitCode: fixture.exitCode, signal: null, stdout: "", stderr: fixture.stderr };
}

function ended(fault: "timedOut" | "cancelled", args: readonly string[]): CommandError {
  return new CommandError({
    fault,
    reason: "it was ended",
    command: ["container", ...args],
    started: true,
    durationMs: 1,
  });
}

async function delayed(clock: Clock, ms: number, args: readonly string[], { signal }: CommandOptions): Promise<void> {
  try {
    await clock.sleep(ms, signal);
  } catch {
    const reason: unknown = signal?.reason;
    throw ended(reason instanceof Error && reason.name === "TimeoutError" ? "timedOut" : "cancelled", args);
  }
}
