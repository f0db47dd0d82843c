import type { WorkflowEngine } from "@slipway/control/engine";
import type { Step, StepContext, StepOptions, Storable, Workflow } from "@slipway/core";
import { expect, test } from "vitest";
import { engineCases, runEngineCase } from "../src/workflow-engine.ts";
import { journalEngine, type Tampering } from "./journal-engine.ts";

/** Bindings and cores with one rule broken each, and a case that has to find it. */
interface EngineMutant {
  readonly breaks: string;
  readonly killedBy: readonly string[];
  readonly tampering: Tampering;
}

/** An engine that keeps all entries but those of one kind. */
const forgets =
  (kind: RegExp) =>
  (engine: WorkflowEngine): WorkflowEngine => ({
    ...engine,
    once: (name, work) => (kind.test(name) ? work() : engine.once(name, work)),
  });

type Change = <T extends Storable<T>>(
  step: Step,
  name: string,
  work: (given: StepContext) => Promise<T>,
  options: StepOptions<T> | undefined,
) => Promise<T>;

/** A workflow whose steps are something else than it says. */
const stepsAs =
  (change: Change) =>
  (workflow: Workflow): Workflow => ({
    ...workflow,
    run: (ctx, input) => {
      const step: Step = (name, work, options) => change(ctx.step, name, work, options);
      return workflow.run({ ...ctx, step }, input);
    },
  });

const aborted = (signal: AbortSignal): Promise<never> =>
  new Promise((_resolve, reject) => {
    const fail = (): void => reject(new Error("given up"));
    if (signal.aborted) fail();
    else signal.addEventListener("abort", fail, { once: true });
  });

const mutants: readonly EngineMutant[] = [
  {
    breaks: "the engine sees a step's failure, and retries it by its own policy",
    killedBy: ["step.error"],
    tampering: {
      engine: (engine) => ({
        ...engine,
        once: (name, work) =>
          engine.once(name, async () => {
            const first = await work();
            return Reflect.get(Object(first), "ok") === false ? work() : first;
          }),
      }),
    },
  },
  {
    breaks: "the engine makes an error of its own of a step's failure",
    killedBy: ["step.error", "undo.reverse.none"],
    tampering: {
      workflow: stepsAs((step, name, work, options) =>
        step(name, (given) => work(given).catch((error: unknown) => Promise.reject(new Error(String(error)))), options),
      ),
    },
  },
  {
    breaks: "one entry for each step: that it began is not kept",
    killedBy: ["undo.acted-before"],
    tampering: { engine: forgets(/^begin /) },
  },
  {
    breaks: "a step that is given up is not waited for",
    killedBy: ["cancel.in-step"],
    tampering: {
      workflow: stepsAs((step, name, work, options) =>
        step(
          name,
          async (given) => {
            const own = work(given);
            await Promise.race([own, aborted(given.signal)]);
            return own;
          },
          options,
        ),
      ),
    },
  },
  {
    breaks: "a run has another id each time that the engine calls it",
    killedBy: ["step.keys"],
    tampering: { runId: (runId) => `${runId} ${Math.random()}` },
  },
  {
    breaks: "names are not unique: a second one is renamed",
    killedBy: ["step.names"],
    tampering: {
      workflow: (workflow) => ({
        ...workflow,
        run: (ctx, input) => {
          const names = new Set<string>();
          return stepsAs((step, name, ...rest) => {
            const own = names.has(name) ? `${name} again` : name;
            names.add(name);
            return step(own, ...rest);
          })(workflow).run(ctx, input);
        },
      }),
    },
  },
  {
    breaks: "undos are no entries of the engine",
    killedBy: ["undo.killed.after"],
    tampering: { engine: forgets(/^undo /) },
  },
  {
    breaks: "when the run began is not kept",
    killedBy: ["limit.killed"],
    tampering: { engine: forgets(/^start$/) },
  },
  {
    breaks: "now() is not kept",
    killedBy: ["step.now"],
    tampering: { engine: forgets(/^now /) },
  },
];

test.concurrent.each(mutants)("is found: $breaks", async ({ killedBy, tampering }) => {
  const found: string[] = [];
  for (const engineCase of engineCases.filter(({ id }) => killedBy.includes(id))) {
    const failed = await runEngineCase(engineCase, journalEngine("rejects", tampering)).then(
      () => false,
      () => true,
    );
    if (failed) found.push(engineCase.id);
  }
  expect(found.toSorted()).toEqual(killedBy.toSorted());
});
