import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  EngineCancelled,
  type EngineOutcome,
  outputOf,
  runOnEngine,
  type WorkflowEngine,
} from "@slipway/control/engine";
import { systemClock, type Workflow } from "@slipway/core";
import { type EngineBegin, type EngineFixture, type EngineHarness, engineSuite } from "../src/workflow-engine.ts";

/** How an engine in memory tells a run that it was cancelled: by rejecting its calls, or by a signal. */
export type CancelStyle = "rejects" | "signals";

/** What a mutant does to the engine, or to a workflow, that a run gets. */
export interface Tampering {
  readonly engine?: (engine: WorkflowEngine) => WorkflowEngine;
  readonly workflow?: (workflow: Workflow) => Workflow;
  readonly runId?: (runId: string) => string;
}

interface KeptRun {
  readonly workflow: Workflow;
  readonly input: unknown;
  readonly begin: EngineBegin;
  /** Each entry as JSON, in the order of the calls; null for a call that a cancellation cut off. */
  readonly journal: (
    | { readonly name: string; readonly answer: string }
    | { readonly name: string; readonly cut: true }
  )[];
  /** When a sleep ends. */
  readonly wakes: Map<number, number>;
  cancels: number;
  outcome: EngineOutcome | undefined;
}

class Died extends Error {}

/** The smallest engine that keeps a journal, in this process. Its host can die: then whatever it does comes to nothing. */
export function journalEngine(style: CancelStyle, tampering: Tampering = {}): EngineHarness {
  return { create: () => createFixture(style, tampering) };
}

async function createFixture(style: CancelStyle, tampering: Tampering): Promise<EngineFixture> {
  const world = await mkdtemp(join(tmpdir(), "slipway-engine-"));
  const runs = new Map<string, KeptRun>();
  const idOf = (type: string, runId: string): string => JSON.stringify([type, runId]);
  let changed = Promise.withResolvers<void>();
  const wake = (): void => {
    changed.resolve();
    changed = Promise.withResolvers();
  };
  let host = newHost();

  function newHost() {
    const dead = Promise.withResolvers<never>();
    dead.promise.catch(() => undefined);
    let isDead = false;
    const die = (): Promise<never> => {
      isDead = true;
      dead.reject(new Died());
      wake();
      return new Promise(() => undefined);
    };
    const suite = engineSuite(world, die);
    const carryOn = async (run: KeptRun): Promise<void> => {
      const { runId, maxDurationMs } = run.begin;
      const engine = engineFor(
        run,
        () => isDead,
        style,
        () => changed.promise,
      );
      const {
        engine: tamper = (one) => one,
        workflow: change = (one) => one,
        runId: rename = (one) => one,
      } = tampering;
      const { failpoint } = suite;
      const work = runOnEngine(change(run.workflow), run.input, tamper(engine), {
        runId: rename(runId),
        maxDurationMs,
        failpoint,
        graceMs: 5_000,
      });
      run.outcome = await Promise.race([work, dead.promise]);
      wake();
    };
    return { suite, carryOn, isDead: () => isDead };
  }

  const resume = (run: KeptRun): void => {
    host.carryOn(run).catch((error: unknown) => {
      if (!(error instanceof Died)) throw error;
    });
  };
  return {
    world,
    begin: async (type, input, begin) => {
      const workflow = host.suite.workflows.find((one) => one.type === type);
      if (workflow === undefined) throw new Error(`no workflow ${type}`);
      const run: KeptRun = { workflow, input, begin, journal: [], wakes: new Map(), cancels: 0, outcome: undefined };
      runs.set(idOf(type, begin.runId), run);
      resume(run);
    },
    result: async (type, runId) => {
      const run = runs.get(idOf(type, runId));
      if (run === undefined) throw new Error("no such run");
      while (run.outcome === undefined) await changed.promise;
      return outputOf(run.workflow, runId, run.outcome);
    },
    cancel: async (type, runId) => {
      const run = runs.get(idOf(type, runId));
      if (run !== undefined) run.cancels += 1;
      wake();
    },
    died: async () => {
      while (!host.isDead()) await changed.promise;
    },
    restart: async () => {
      host = newHost();
      for (const run of runs.values()) if (run.outcome === undefined) resume(run);
    },
    dispose: () => rm(world, { recursive: true, force: true }),
  };
}

function engineFor(
  run: KeptRun,
  isDead: () => boolean,
  style: CancelStyle,
  changed: () => Promise<void>,
): WorkflowEngine {
  const { journal } = run;
  const stop = new AbortController();
  const never = new Promise<never>(() => undefined);
  let place = 0;
  /** How many cancellations this call of the run has been told. */
  let told = 0;
  const isCancelled = (): boolean => run.cancels > told;
  const watch = async (): Promise<void> => {
    while (run.cancels === 0 && !isDead()) await changed();
    if (run.cancels > 0) stop.abort();
  };
  if (style === "signals") void watch();

  /** Resolves when a cancellation comes, and never otherwise. */
  const cancellation = async (): Promise<void> => {
    while (!isCancelled()) await changed();
  };
  const call = async (name: string, work: () => Promise<unknown>): Promise<unknown> => {
    if (isDead()) return never;
    const mine = place;
    place += 1;
    const kept = journal[mine];
    if (kept !== undefined) {
      if (kept.name !== name) throw new Error(`the journal has ${kept.name} where the run calls ${name}`);
      if ("answer" in kept) return JSON.parse(kept.answer);
      told += 1;
      throw new EngineCancelled();
    }
    const running = work();
    const first =
      style === "rejects"
        ? await Promise.race([running.then(() => "answered"), cancellation()])
        : await running.then(() => "answered");
    if (isDead()) return never;
    if (first !== "answered") {
      journal[mine] = { name, cut: true };
      told += 1;
      throw new EngineCancelled();
    }
    const answer = JSON.stringify(await running);
    journal[mine] = { name, answer };
    return JSON.parse(answer);
  };
  return {
    signal: style === "signals" ? stop.signal : undefined,
    // What was kept is what this very work answered.
    once: async <T>(name: string, work: () => Promise<T>) => (await call(name, work)) as T,
    sleep: async (ms, name) => {
      const end = run.wakes.get(place) ?? systemClock.now() + ms;
      run.wakes.set(place, end);
      const outcome = await call(name, async () => {
        const over = new AbortController();
        const left = Math.max(0, end - systemClock.now());
        const slept = systemClock.sleep(left, over.signal).catch(() => undefined);
        try {
          return await Promise.race([slept.then(() => "slept"), cancellation().then(() => "cancelled")]);
        } finally {
          over.abort();
        }
      });
      if (outcome !== "cancelled") return;
      told += 1;
      throw new EngineCancelled();
    },
  };
}
