import assert from "node:assert/strict";
import { setTimeout as pause } from "node:timers/promises";
import { stepKey } from "@slipway/control";
import type { EngineCase, EngineTrial } from "./fixture.ts";
import { untilTraced } from "./world.ts";

const KILLS = ["before:b", "ran:b", "after:b"] as const;
const UNDO_KILLS = ["undo-before:b", "undo-ran:b", "undo-after:b"] as const;

const done = (type: string, runId: string, names: readonly string[]): readonly string[] =>
  names.map((name) => `do ${name} ${stepKey(type, runId, name)}`);

const stepCases: readonly EngineCase[] = [
  {
    id: "step.keys",
    title: "A step's key is that of stepKey, and runs of two workflows under one run id share none.",
    run: async ({ run, world }) => {
      const another = "three.of-another type";
      assert.deepEqual(await run("three"), ["a", "b", "c"]);
      assert.deepEqual(await run(another), ["a", "b", "c"]);
      assert.deepEqual(world.trace(), [...done("three", "r", ["a", "b", "c"]), ...done(another, "r", ["a", "b", "c"])]);
      assert.equal(world.things().length, 6);
    },
  },
  {
    id: "step.names",
    title: "A second step of one name is DUPLICATE_STEP, and what was done is undone.",
    run: async ({ fails, world }) => {
      assert.equal((await fails("twice")).code, "DUPLICATE_STEP");
      assert.deepEqual(world.things(), []);
    },
  },
  {
    id: "step.nested",
    title: "A step inside a step is refused, and the run does not hang.",
    run: async ({ fails }) => assert.equal((await fails("nested")).code, "FAILED"),
  },
  {
    id: "step.error",
    title: "The engine retries no step, and the workflow can catch its error with code and effect, also after a kill.",
    run: async ({ run, world }) => {
      const caught = { code: "CAPACITY_ERROR", effect: "none", retryable: true };
      assert.deepEqual(await run("caught", {}, { dieAt: ["before:a"] }), caught);
      assert.deepEqual(world.trace(), ["do a"]);
    },
  },
  {
    id: "step.json",
    title: "A result that is not JSON fails the run, and the step is undone.",
    run: async ({ fails, world }) => {
      assert.equal((await fails("bad-result")).code, "RESULT_NOT_JSON");
      assert.deepEqual(world.things(), []);
    },
  },
  {
    id: "step.beside",
    title: "Steps that begin side by side run each once, also over a kill, and are undone in reverse.",
    run: async ({ run, fails, world }) => {
      assert.deepEqual(await run("beside", {}, { dieAt: ["after:b"] }), ["a", "b", "c"]);
      assert.deepEqual(world.trace(), done("beside", "r", ["a", "b", "c"]));
      await fails("beside", { fails: "plain" }, { runId: "s", dieAt: ["undo-before:a"] });
      assert.deepEqual(world.trace().slice(3), [...done("beside", "s", ["a", "b"]), "undo b unknown", "undo a done a"]);
    },
  },
  ...KILLS.map(
    (point): EngineCase => ({
      id: `step.killed.${point.replace(":b", "")}`,
      title: `A run whose process is killed at ${point} goes on, and no finished step runs again.`,
      run: async ({ run, world }) => {
        assert.deepEqual(await run("three", {}, { dieAt: [point] }), ["a", "b", "c"]);
        const b = point === "ran:b" ? ["b", "b"] : ["b"];
        assert.deepEqual(world.trace(), done("three", "r", ["a", ...b, "c"]));
        assert.deepEqual(world.things(), ["a", "b", "c"]);
      },
    }),
  ),
  {
    id: "step.now",
    title: "now() answers the same at a replay.",
    run: async ({ fixture, world }) => {
      world.dieAt("before:a");
      await fixture.begin("clock", {}, { runId: "r" }).catch(() => undefined);
      await fixture.died();
      // So that a clock that is read again shows another time.
      await pause(20);
      await fixture.restart();
      const [first] = Object.values(Object(await fixture.result("clock", "r")));
      assert.deepEqual(new Set(world.trace()), new Set([`now ${String(first)}`]));
      // Some engines call a run anew for each of its entries.
      assert.ok(world.trace().length >= 2);
    },
  },
];

const undoCases: readonly EngineCase[] = [
  ...(["none", "unknown", "plain"] as const).map(
    (fails): EngineCase => ({
      id: `undo.reverse.${fails}`,
      title: `Where a step fails (${fails}), undos run in reverse, its own too unless it is known to have done nothing.`,
      run: async (trial) => {
        const error = await trial.fails("three", { fails });
        assert.equal(error.code, "FAILED");
        assert.deepEqual(error.leftovers, []);
        const own = fails === "none" ? [] : ["undo c unknown"];
        assert.deepEqual(trial.world.trace().slice(3), [...own, "undo b done b", "undo a done a"]);
        assert.deepEqual(trial.world.things(), []);
      },
    }),
  ),
  {
    id: "undo.leftovers",
    title: "What could not be undone is in the error's leftovers, and the others are undone all the same.",
    run: async ({ fails, world }) => {
      const error = await fails("three", { fails: "plain", stuck: "b" });
      const key = stepKey("three", "r", "b");
      assert.deepEqual(
        error.leftovers.map(({ error: _error, ...rest }) => rest),
        [{ step: "b", key, outcome: "done", result: "b" }],
      );
      assert.match(String(error.leftovers[0]?.error), /b is stuck/);
      assert.match(String(error.cause), /plain/);
      assert.deepEqual(world.things(), ["b"]);
    },
  },
  {
    id: "undo.output",
    title: "An output that is not as promised is INVALID_OUTPUT, and the run is undone.",
    run: async ({ fails, world }) => {
      assert.equal((await fails("bad-output")).code, "INVALID_OUTPUT");
      assert.deepEqual(world.things(), []);
    },
  },
  {
    id: "undo.acted-before",
    title: "A step that acted, was killed, and is then refused with nothing done, is undone.",
    run: async ({ fails, world }) => {
      const error = await fails("refused-again", {}, { dieAt: ["ran:a"] });
      assert.deepEqual(error.leftovers, []);
      assert.deepEqual(world.trace().slice(-1), ["undo a unknown"]);
      assert.deepEqual(world.things(), []);
    },
  },
  ...UNDO_KILLS.map(
    (point): EngineCase => ({
      id: `undo.killed.${point.slice("undo-".length).replace(":b", "")}`,
      title: `An undo that is killed at ${point} goes on, and no finished undo runs again.`,
      run: async ({ fails, world }) => {
        const error = await fails("three", { fails: "plain" }, { dieAt: [point] });
        assert.deepEqual(error.leftovers, []);
        const b = point === "undo-ran:b" ? ["undo b done b", "undo b done b"] : ["undo b done b"];
        assert.deepEqual(world.trace().slice(3), ["undo c unknown", ...b, "undo a done a"]);
        assert.deepEqual(world.things(), []);
      },
    }),
  ),
  {
    id: "undo.input",
    title: "An input that the workflow does not take is INVALID_INPUT, and nothing is done.",
    run: async ({ fails, world }) => {
      assert.equal((await fails("three", { refused: true } as object)).code, "INVALID_INPUT");
      assert.deepEqual(world.trace(), []);
    },
  },
];

/** Begins a run and waits for a line of its trace. */
async function begin(
  trial: EngineTrial,
  type: string,
  line: string,
  input = {},
  maxDurationMs?: number,
): Promise<void> {
  await trial.fixture.begin(type, input, { runId: "r", maxDurationMs });
  await untilTraced(trial.world, line);
}

const A_DONE = done("three", "r", ["a"])[0] ?? "";
const LONG_MS = 3_600_000;
const LIMIT_MS = 1_000;

const endCases: readonly EngineCase[] = [
  {
    id: "cancel.sleeping",
    title: "A run that is cancelled while it sleeps is undone.",
    run: async (trial) => {
      await begin(trial, "three", A_DONE, { sleepMs: LONG_MS });
      await trial.fixture.cancel("three", "r");
      const error = await trial.failure("three");
      assert.equal(error.code, "CANCELLED");
      assert.deepEqual(error.leftovers, []);
      assert.deepEqual(trial.world.things(), []);
    },
  },
  {
    id: "cancel.in-step",
    title: "A step that runs when its run is cancelled is waited for, and undone when it has ended.",
    run: async (trial) => {
      await begin(trial, "late", "b runs");
      await trial.fixture.cancel("late", "r");
      const error = await trial.failure("late");
      assert.equal(error.code, "CANCELLED");
      assert.deepEqual(error.leftovers, []);
      // It is over only now: what comes after it is there for good.
      await untilTraced(trial.world, "b made");
      assert.deepEqual(trial.world.things(), []);
    },
  },
  {
    id: "cancel.undoing",
    title: "A run that is cancelled while it is undone is undone to its end.",
    run: async (trial) => {
      await begin(trial, "slow-undo", "undoing a");
      await trial.fixture.cancel("slow-undo", "r");
      trial.world.open("undo");
      const error = await trial.failure("slow-undo");
      assert.equal(error.code, "FAILED");
      assert.deepEqual(error.leftovers, []);
      assert.deepEqual(trial.world.things(), []);
    },
  },
  {
    id: "cancel.killed",
    title: "A cancelled run whose host dies in the undo is undone by the next host.",
    run: async (trial) => {
      trial.world.dieAt("undo-ran:a");
      await begin(trial, "three", A_DONE, { sleepMs: LONG_MS });
      await trial.fixture.cancel("three", "r").catch(() => undefined);
      await trial.fixture.died();
      await trial.fixture.restart();
      assert.equal((await trial.failure("three")).code, "CANCELLED");
      assert.deepEqual(trial.world.things(), []);
    },
  },
  {
    id: "limit.sleeping",
    title: "A run past its longest duration is undone as TIMED_OUT.",
    run: async (trial) => {
      const error = await trial.fails("three", { sleepMs: LONG_MS }, { maxDurationMs: LIMIT_MS });
      assert.equal(error.code, "TIMED_OUT");
      assert.deepEqual(error.leftovers, []);
      // On a machine that is slow enough it is over before a begins.
      if (trial.world.trace().length > 0) assert.deepEqual(trial.world.trace(), [A_DONE, "undo a done a"]);
      assert.deepEqual(trial.world.things(), []);
    },
  },
  {
    id: "limit.in-step",
    title: "A step that runs past the longest duration is told so, and undone.",
    run: async (trial) => {
      const error = await trial.fails("late", {}, { maxDurationMs: LIMIT_MS });
      assert.equal(error.code, "TIMED_OUT");
      assert.deepEqual(trial.world.things(), []);
    },
  },
  {
    id: "limit.killed",
    title: "The longest duration counts from the first start, over a kill.",
    run: async (trial) => {
      const { fixture, world } = trial;
      world.dieAt("before:a");
      await fixture.begin("three", {}, { runId: "r", maxDurationMs: LIMIT_MS }).catch(() => undefined);
      await fixture.died();
      await pause(LIMIT_MS);
      await fixture.restart();
      assert.equal((await trial.failure("three")).code, "TIMED_OUT");
      assert.deepEqual(world.trace(), []);
    },
  },
  {
    id: "sleep.killed",
    title: "A sleep ends, also where its host was killed before it.",
    run: async ({ run, world }) => {
      assert.deepEqual(await run("three", { sleepMs: 300 }, { dieAt: ["after:a"] }), ["a", "b", "c"]);
      assert.deepEqual(world.trace(), done("three", "r", ["a", "b", "c"]));
    },
  },
  {
    id: "engine.killed",
    title: "A run goes on after its host and the engine's own server were killed, and what has ended is still known.",
    needs: "restartEngine",
    run: async (trial) => {
      const { fixture, world } = trial;
      assert.deepEqual(await trial.run("three", {}, { runId: "before" }), ["a", "b", "c"]);
      world.dieAt("ran:b");
      await fixture.begin("three", {}, { runId: "r" }).catch(() => undefined);
      await fixture.died();
      await fixture.restartEngine?.();
      await fixture.restart();
      assert.deepEqual(await fixture.result("three", "r"), ["a", "b", "c"]);
      assert.deepEqual(await fixture.result("three", "before"), ["a", "b", "c"]);
      assert.equal(world.things().length, 6);
    },
  },
];

/** All promises that a run on an engine has to keep. */
export const engineCases: readonly EngineCase[] = [...stepCases, ...undoCases, ...endCases];
