import type { Workflow } from "@slipway/core";
import { cancelled, type Run } from "../workflow/run.ts";
import { EngineCancelled, type WorkflowEngine } from "./engine.ts";

/** What every entry that decides something holds, so that a replay decides the same. */
export interface Stamp {
  readonly at: number;
  readonly cancelled: boolean;
}

/** One run while an engine has it here. */
export interface EngineRun extends Omit<Run, "journal"> {
  /** Null while it may go on. Set only by what the engine keeps. */
  readonly over: () => "CANCELLED" | "TIMED_OUT" | null;
  /** When it is over, milliseconds since the epoch. */
  readonly until: number;
  /** Aborts the steps that are under way. */
  readonly abort: (why: "CANCELLED" | "TIMED_OUT" | "FAILED") => void;
  /** A call into the engine. It rejects only where the run is cancelled by that; every other rejection halts the run. */
  readonly ask: <T>(name: string, work: () => Promise<T>) => Promise<T>;
  /** The same for what has to be done though the run is over: where a cancellation cuts it off, it is asked for again. */
  readonly insist: <T>(name: string, work: () => Promise<T>) => Promise<T>;
  /** Counts work that runs here; `ended` resolves when none does. */
  readonly track: <T>(work: Promise<T>) => Promise<T>;
  readonly ended: () => Promise<void>;
  /** What the engine knows of an earlier try of the work that comes next. */
  readonly repeats: boolean | undefined;
  readonly rest: (ms: number, name: string) => Promise<void>;
  readonly stamp: () => Stamp;
  /** Throws where a stamp says that the run is over. */
  readonly heed: (stamp: Stamp, operation: string) => void;
}

/** Why the signal of a run's steps aborted. */
const REASONS = {
  CANCELLED: ["the run was cancelled", "AbortError"],
  TIMED_OUT: ["the run took too long", "TimeoutError"],
  FAILED: ["another step failed", "AbortError"],
} as const;

export function engineRun(
  engine: WorkflowEngine,
  given: Pick<Run, "runId" | "clock" | "graceMs" | "emit" | "failpoint" | "mustWork"> & {
    readonly workflow: Workflow;
    readonly until: number;
    readonly limit: AbortSignal;
  },
): EngineRun {
  const stopping = new AbortController();
  const signal = AbortSignal.any([given.limit, stopping.signal]);
  const isCancellation = engine.isCancellation ?? ((error: unknown): boolean => error instanceof EngineCancelled);
  const running = new Set<Promise<unknown>>();
  let over: "CANCELLED" | "TIMED_OUT" | null = null;

  const abort = (why: keyof typeof REASONS): void => {
    if (!signal.aborted) stopping.abort(new DOMException(...REASONS[why]));
  };
  const end = (why: "CANCELLED" | "TIMED_OUT"): void => {
    over ??= why;
    abort(why);
  };
  /** Answers null where a cancellation cut it off; whatever else the engine rejects with halts the run. */
  const call = async <T>(work: () => Promise<T>): Promise<{ readonly answer: T } | null> => {
    let outcome: { readonly answer: T } | null = null;
    await given.mustWork(async () => {
      try {
        outcome = { answer: await work() };
      } catch (error) {
        if (!isCancellation(error)) throw error;
        end("CANCELLED");
      }
    });
    return outcome;
  };

  const run: EngineRun = {
    ...given,
    signal,
    repeats: engine.repeats,
    over: () => over,
    abort,
    ask: async (name, work) => {
      const kept = await call(() => engine.once(name, work));
      if (kept === null) throw cancelled(run, name);
      return kept.answer;
    },
    insist: async (name, work) => {
      for (let time = 1; ; time += 1) {
        let own: ReturnType<typeof work> | undefined;
        let isCutOff = false;
        const kept = await call(() =>
          // An engine that cut it off must not begin it beside the next one.
          engine.once(time === 1 ? name : `${name} again ${time}`, () => {
            own = isCutOff ? new Promise(() => undefined) : work();
            return own;
          }),
        );
        if (kept !== null) return kept.answer;
        isCutOff = true;
        await own;
      }
    },
    track: (work) => {
      running.add(work);
      const done = (): void => void running.delete(work);
      work.then(done, done);
      return work;
    },
    ended: async () => {
      while (running.size > 0) await Promise.allSettled([...running]);
    },
    rest: async (ms, name) => {
      if ((await call(() => engine.sleep(ms, name))) === null) throw cancelled(run, name);
    },
    stamp: () => ({ at: given.clock.now(), cancelled: engine.signal?.aborted === true }),
    heed: ({ at, cancelled: isCancelled }, operation) => {
      if (isCancelled) end("CANCELLED");
      else if (at >= given.until) end("TIMED_OUT");
      if (over !== null) throw cancelled(run, operation);
    },
  };
  return run;
}
