import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { isWorkflowError } from "@slipway/control";
import { type EngineOutcome, outputOf } from "@slipway/control/engine";
import type { Workflow } from "@slipway/core";
import type { EngineFixture } from "./fixture.ts";

type Calls = Pick<EngineFixture, "begin" | "result" | "cancel">;

/** A real process that hosts the suite's workflows, and that can be killed. */
export interface EngineHostProcess extends Calls {
  /** Resolves once the host takes runs; rejects if it ends before. */
  readonly ready: Promise<void>;
  readonly died: Promise<void>;
  /** As `kill -9`; resolves once it is gone. */
  readonly kill: () => Promise<void>;
}

interface Call {
  readonly id: number;
  readonly name: keyof Calls;
  readonly given: readonly unknown[];
}
type Answer =
  | { readonly id: number; readonly outcome: EngineOutcome }
  | { readonly id: number; readonly failure: string };

/** The other end of `startEngineHost`: what a program does that has registered the suite's workflows and started its engine. */
export function serveEngineHost(calls: Partial<Calls>): void {
  const outcomeOf = async ({ name, given }: Call): Promise<EngineOutcome> => {
    try {
      // Written by `startEngineHost` with what this call takes.
      const call = calls[name] as ((...given: readonly unknown[]) => Promise<unknown>) | undefined;
      const output = (await call?.(...given)) as Extract<EngineOutcome, { ok: true }>["output"];
      return output === undefined ? { ok: true } : { ok: true, output };
    } catch (error) {
      if (!isWorkflowError(error)) throw error;
      const { code, message, runId, leftovers, cause } = error;
      const kept = leftovers.map((one) => ({ ...one, error: recorded(one.error) }));
      return { ok: false, code, message, runId, leftovers: kept, cause: recorded(cause) } as EngineOutcome;
    }
  };
  const say = (line: unknown): void => void process.stdout.write(`${JSON.stringify(line)}\n`);
  const input = createInterface({ input: process.stdin });
  input.on("line", (line) => {
    const call = JSON.parse(line) as Call;
    outcomeOf(call).then(
      (outcome) => say({ id: call.id, outcome }),
      (error: unknown) => say({ id: call.id, failure: String(error) }),
    );
  });
  // Whoever started it is gone.
  input.on("close", () => process.exit(0));
  say({ ready: true });
}

function recorded(error: unknown): { readonly name: string; readonly message: string } {
  return error instanceof Error
    ? { name: error.name, message: error.message }
    : { name: "Error", message: String(error) };
}

/** Starts a program that calls `serveEngineHost`. What it prints beside its answers is left out. */
export function startEngineHost(
  file: string,
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): EngineHostProcess {
  const child = spawn(file, args, { stdio: ["pipe", "pipe", "inherit"], env });
  const waiting = new Map<number, PromiseWithResolvers<EngineOutcome>>();
  const ready = Promise.withResolvers<void>();
  ready.promise.catch(() => undefined);
  const died = once(child, "exit").then(() => {
    const gone = new Error("the host of the engine ended before it answered");
    ready.reject(gone);
    for (const { reject } of waiting.values()) reject(gone);
  });
  // A process that was killed closes its end.
  child.stdin.on("error", () => undefined);
  createInterface({ input: child.stdout }).on("line", (line) => {
    if (line.startsWith('{"ready"')) ready.resolve();
    if (!line.startsWith('{"id"')) return;
    // Written by `serveEngineHost`.
    const answer = JSON.parse(line) as Answer;
    const asked = waiting.get(answer.id);
    waiting.delete(answer.id);
    if ("outcome" in answer) asked?.resolve(answer.outcome);
    else asked?.reject(new Error(`the host of the engine failed: ${answer.failure}`));
  });
  let calls = 0;
  const ask = async (name: keyof Calls, ...given: readonly unknown[]): Promise<EngineOutcome> => {
    calls += 1;
    const answer = Promise.withResolvers<EngineOutcome>();
    answer.promise.catch(() => undefined);
    waiting.set(calls, answer);
    if (child.exitCode !== null || child.signalCode !== null) throw new Error("the host of the engine has ended");
    child.stdin.write(`${JSON.stringify({ id: calls, name, given })}\n`);
    return answer.promise;
  };
  return {
    ready: ready.promise,
    died,
    begin: async (...given) => void (await outputOf(ANYTHING, given[2].runId, await ask("begin", ...given))),
    result: async (type, runId) => outputOf(ANYTHING, runId, await ask("result", type, runId)),
    cancel: async (type, runId) => void (await outputOf(ANYTHING, runId, await ask("cancel", type, runId))),
    kill: async () => {
      child.kill("SIGKILL");
      await died;
    },
  };
}

const ANYTHING: Pick<Workflow, "type" | "output"> = {
  type: "suite",
  output: { "~standard": { version: 1, vendor: "suite", validate: (value: unknown) => ({ value }) } },
};
