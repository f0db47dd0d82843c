import { type Clock, type CommandResult, deadline, type Exec } from "@slipway/core";
import { CommandError } from "@slipway/provider-kit/command";
import { faultScript, simulatedClock } from "@slipway/provider-kit/emulator";
import { Cloud, type CloudSettings, Refused } from "./cloud.ts";
import { controlOf, type __Name__EmulatorControl } from "./control.ts";
import { SERVES, wordFor } from "./faults.ts";

export interface __Name__EmulatorSettings extends CloudSettings {
  /** A simulated one, which passes by itself, if absent. */
  readonly clock?: Clock | undefined;
}

/** The remote's program. */
export interface __Name__Emulator {
  readonly clock: Clock;
  /** For a provider's `runtime.exec`: answers as the program would. */
  readonly exec: Exec;
  readonly control: __Name__EmulatorControl;
}

const LATENCY_MS = 50;
const VERBS: ReadonlySet<string> = new Set(["create", "list", "read", "delete", "save", "wake"]);
// As a shell would tell of a program that was killed in the middle.
const KILLED: CommandResult = { exitCode: null, signal: "SIGKILL", stdout: "", stderr: "" };

export function __name__Emulator(settings: __Name__EmulatorSettings = {}): __Name__Emulator {
  const clock = settings.clock ?? simulatedClock();
  const cloud = new Cloud(settings, clock);
  const faults = faultScript(settings.seed ?? 1);

  /** A caller that gives up hears nothing more; what the program was asked for goes on all the same. */
  const exec: Exec = async (file, args, options = {}) => {
    const limit = deadline(clock, options.timeoutMs, options.signal);
    const begun = clock.now();
    try {
      return await run(args, options.stdin, limit.signal);
    } catch (error) {
      if (!limit.signal.aborted) throw error;
      const timedOut = Object(limit.signal.reason).name === "TimeoutError";
      throw new CommandError({
        fault: timedOut ? "timedOut" : "cancelled",
        reason: timedOut ? "it did not finish in time, and was ended" : "it was cancelled, and ended",
        command: [file, ...args],
        started: clock.now() > begun,
        durationMs: clock.now() - begun,
      });
    } finally {
      limit.release();
    }
  };

  async function run(args: readonly string[], stdin: unknown, signal: AbortSignal): Promise<CommandResult> {
    await clock.sleep(LATENCY_MS, signal);
    const [thing = "", verb = "", id = "", ...more] = args;
    // The real program takes nothing that it does not know.
    if (!VERBS.has(verb) || more.length > 0 || id.startsWith("-")) return failed("invalid", `usage: ${args.join(" ")}`, 2);
    const operation = `${thing} ${verb}`;
    const serves = SERVES.get(operation);
    const fault = faults.take(serves === undefined ? operation : [operation, serves]);
    if (fault?.when === "before") return failed(wordFor(fault), "placed by a test");
    const result = answer(() => cloud.handle(thing, verb, id, stdin === undefined ? undefined : JSON.parse(String(stdin))));
    if (fault?.when === "delayed") await clock.sleep(fault.delayMs ?? 0, signal);
    if (fault?.when === "after") return failed(wordFor(fault), "placed by a test");
    return fault?.when === "reply-lost" ? KILLED : result;
  }
  return { clock, exec, control: controlOf(cloud, faults) };
}

function answer(work: () => unknown): CommandResult {
  try {
    return { exitCode: 0, signal: null, stdout: `${JSON.stringify(work())}\n`, stderr: "" };
  } catch (error) {
    if (error instanceof Refused) return failed(error.code, error.message);
    if (error instanceof SyntaxError) return failed("invalid", "stdin is not JSON");
    throw error;
  }
}

function failed(code: string, message: string, exitCode = 1): CommandResult {
  return { exitCode, signal: null, stdout: "", stderr: `${JSON.stringify({ error: { code, message } })}\n` };
}
