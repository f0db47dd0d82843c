import { isWorkflowError, type WorkflowError } from "@slipway/control";
import type { FlowInput } from "./flows.ts";
import { type EngineWorld, engineWorld } from "./world.ts";

/** How a run is begun. */
export interface EngineBegin {
  readonly runId: string;
  readonly maxDurationMs?: number | undefined;
}

/** An engine with a host that has registered `engineSuite(world)`, both ready. */
export interface EngineFixture {
  /** An empty directory, the argument of `engineSuite`. */
  readonly world: string;
  /** Begins a run; need not wait for its end. May reject where the host dies meanwhile. */
  readonly begin: (type: string, input: unknown, options: EngineBegin) => Promise<void>;
  /** The run's output, or its WorkflowError, as soon as it has ended. */
  readonly result: (type: string, runId: string) => Promise<unknown>;
  /** Cancels a run, in the way that the binding's documentation says. */
  readonly cancel: (type: string, runId: string) => Promise<void>;
  /** Resolves once the host has died. */
  readonly died: () => Promise<void>;
  /** Starts a host again after it died. */
  readonly restart: () => Promise<void>;
  /** Kills the engine's own server and starts it again, where it is one. */
  readonly restartEngine?: () => Promise<void>;
  readonly dispose: () => Promise<void>;
}

export interface EngineHarness {
  readonly create: () => Promise<EngineFixture>;
}

/** A fixture as a case uses it. */
export interface EngineTrial {
  readonly fixture: EngineFixture;
  readonly world: EngineWorld;
  /** Runs a workflow to its end, with a host that dies at each of these points and is started again. */
  readonly run: (type: string, input?: FlowInput, options?: Partial<TrialOptions>) => Promise<unknown>;
  /** The same for a run that has to fail. */
  readonly fails: (type: string, input?: FlowInput, options?: Partial<TrialOptions>) => Promise<WorkflowError>;
  /** Of a run that was begun already. */
  readonly failure: (type: string, runId?: string) => Promise<WorkflowError>;
}

export interface TrialOptions extends EngineBegin {
  readonly dieAt: readonly string[];
}

/** One promise of a workflow engine's binding, as data: any test runner can run it. */
export interface EngineCase {
  /** Unique, as `undo.killed`. */
  readonly id: string;
  readonly title: string;
  readonly needs?: "restartEngine";
  /** Throws where the binding breaks the promise. */
  readonly run: (trial: EngineTrial) => Promise<void>;
}

/** Runs one case on a fresh fixture; throws if it fails, answers why if it cannot be run. */
export async function runEngineCase(
  engineCase: EngineCase,
  harness: EngineHarness,
): Promise<{ readonly skipped: string } | undefined> {
  const fixture = await harness.create();
  try {
    if (engineCase.needs !== undefined && fixture[engineCase.needs] === undefined)
      return { skipped: `the fixture has no ${engineCase.needs}` };
    await engineCase.run(trialOf(fixture));
    return undefined;
  } finally {
    await fixture.dispose();
  }
}

function trialOf(fixture: EngineFixture): EngineTrial {
  const world = engineWorld(fixture.world);
  const run: EngineTrial["run"] = async (type, input = {}, options = {}) => {
    const { runId = "r", dieAt = [], maxDurationMs } = options;
    world.dieAt(...dieAt);
    const begun = fixture.begin(type, input, { runId, maxDurationMs });
    if (dieAt.length === 0) await begun;
    else await begun.catch(() => undefined);
    for (const _death of dieAt) {
      await fixture.died();
      await fixture.restart();
    }
    return fixture.result(type, runId);
  };
  const failureOf = async (work: Promise<unknown>): Promise<WorkflowError> => {
    const error: unknown = await work.then(
      () => undefined,
      (thrown: unknown) => thrown,
    );
    if (isWorkflowError(error)) return error;
    if (error instanceof Error) throw error;
    throw new Error("a run that had to fail answered an output: make a WorkflowError of its outcome");
  };
  return {
    fixture,
    world,
    run,
    fails: (...how) => failureOf(run(...how)),
    failure: (type, runId = "r") => failureOf(fixture.result(type, runId)),
  };
}
