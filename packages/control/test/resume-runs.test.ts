import { mkdir, mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Workflow, WorkflowContext } from "@slipway/core";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { z } from "zod";
import {
  allEntries,
  fileStore,
  isWorkflowError,
  memoryStore,
  type ResumeOutcome,
  resumeRuns,
  runRecordId,
  runWorkflow,
  type Store,
  StoreError,
} from "../src/index.ts";
import { type Child, startChild } from "./children/child-process.ts";
import { type SimulatedClock, simulatedClock } from "./simulated-clock.ts";

class Killed extends Error {}

const anything = z.any() as unknown as Workflow["input"];
const define = (
  run: (ctx: WorkflowContext, input: unknown) => Promise<unknown>,
  { type = "test", version = 1, input = anything }: Partial<Pick<Workflow, "type" | "version" | "input">> = {},
): Workflow => ({ type, version, input, output: anything, run });

let store: Store;
let clock: SimulatedClock;
let trace: string[];

beforeEach(() => {
  store = memoryStore();
  clock = simulatedClock();
  trace = [];
});

const steps = (names: string[], options: Partial<Pick<Workflow, "type" | "version">> = {}): Workflow =>
  define(async ({ step, runId }) => {
    for (const name of names) {
      await step(name, async () => void trace.push(`${runId} ${name}`), {
        undo: async () => void trace.push(`${runId} undo ${name}`),
      });
    }
    return runId;
  }, options);

/** Begins a run in a process that dies at a failpoint. */
async function leave(workflow: Workflow, runId: string, point: string, maxDurationMs?: number): Promise<void> {
  const failpoint = (name: string): void => {
    if (name === point) throw new Killed(name);
  };
  const run = runWorkflow(workflow, { of: runId }, { journal: store, runId, clock, failpoint, maxDurationMs });
  await expect(run).rejects.toThrow(Killed);
}

describe("resumeRuns", () => {
  test("finishes each run with the workflow of its type and version, and no finished step runs again", async () => {
    const [one, other] = [steps(["a", "b"], { type: "one" }), steps(["c", "d"], { type: "other" })];
    await leave(one, "x", "before:b");
    await leave(other, "y", "ran:d");
    await leave({ ...one, version: 2 }, "z", "after:a");
    trace.length = 0;
    const report = await resumeRuns(store, [one, other, { ...one, version: 2 }], { clock });
    expect(report).toEqual({ completed: 3, failed: 0, busy: 0, underWay: 0, notResumed: [] });
    expect(trace.toSorted()).toEqual(["x b", "y d", "z b"]);
    // Nothing is left to do, and that is found out without a lease.
    const outcomes: ResumeOutcome[] = [];
    await resumeRuns(store, [one], { clock, onOutcome: (outcome) => outcomes.push(outcome) });
    expect(outcomes).toEqual([]);
  });

  test("says what it could not resume, and why", async () => {
    await leave(steps(["a"], { type: "gone" }), "x", "before:a");
    await leave(steps(["a"], { version: 1 }), "old", "before:a");
    const strict = define(async () => null, { type: "strict", input: z.null() as unknown as Workflow["input"] });
    await leave(steps(["a"], { type: "strict" }), "input", "before:a");
    const lease = await (async () => {
      await leave(steps(["a"], { type: "held" }), "held", "before:a");
      return store.acquire(runRecordId("held"));
    })();
    expect(lease).not.toBeNull();
    const workflows = [steps(["a"], { version: 2 }), strict, steps(["a"], { type: "held" })];
    const report = await resumeRuns(store, workflows, { clock });
    expect(report).toMatchObject({ completed: 0, failed: 0, busy: 1 });
    expect(report.notResumed.map(({ runId, outcome }) => `${runId} ${outcome}`).toSorted()).toEqual([
      "input stopped",
      "old no-workflow",
      "x no-workflow",
    ]);
    expect(String(report.notResumed.find(({ runId }) => runId === "old")?.error)).toContain("test version 1");
    expect(trace).toEqual([]);
  });

  test("a run that ended and was forgotten while it waited for its place is not begun anew", async () => {
    await leave(steps(["a"]), "x", "before:a");
    await leave(steps(["a"]), "y", "before:a");
    trace.length = 0;
    // Another host is faster with both, and what has ended is removed, while this host has its list of runs.
    const stale: Store = {
      ...store,
      entries: async function* (filter) {
        const entries = await allEntries(store, filter);
        for (const { id } of entries) {
          const lease = await store.acquire(id);
          await store.remove(id);
          if (lease !== null) await store.release(lease);
        }
        yield* entries;
      },
    };
    const report = await resumeRuns(stale, [steps(["a"])], { clock, concurrency: 1 });
    expect(trace).toEqual([]);
    expect(report).toMatchObject({ completed: 0, failed: 0 });
    expect(report.notResumed.map(({ outcome }) => outcome)).toEqual(["stopped", "stopped"]);
    expect(String(report.notResumed[0]?.error)).toContain("its record was removed meanwhile");
    expect(await allEntries(store)).toEqual([]);
  });

  test("resumes an undo that was cut off, and the failed undos of ended runs only where that is asked for", async () => {
    let stuck = true;
    const failing = define(async ({ step }) => {
      await step("a", async () => void trace.push("a"), {
        undo: async () => {
          if (stuck) throw new Error("stuck");
          trace.push("undo a");
        },
      });
      await step("b", async () => void trace.push("b"), { undo: async () => void trace.push("undo b") });
      throw new Error("no");
    });
    await leave(failing, "x", "undo-before:b");
    expect(await resumeRuns(store, [failing], { clock })).toMatchObject({ completed: 0, failed: 1 });
    stuck = false;
    expect(await resumeRuns(store, [failing], { clock })).toMatchObject({ completed: 0, failed: 0 });
    expect(trace).toEqual(["a", "b", "undo b"]);
    const outcomes: ResumeOutcome[] = [];
    await resumeRuns(store, [failing], { clock, leftovers: true, onOutcome: (outcome) => outcomes.push(outcome) });
    expect(trace).toEqual(["a", "b", "undo b", "undo a"]);
    expect(outcomes.map(({ error }) => isWorkflowError(error, "FAILED") && error.leftovers.length)).toEqual([0]);
    await resumeRuns(store, [failing], { clock, leftovers: true, onOutcome: (outcome) => outcomes.push(outcome) });
    expect(outcomes).toHaveLength(1);
  });

  test("keeps the longest duration that the run was begun with", async () => {
    const slow = define(async ({ step, sleep }) => {
      await step("a", async () => void trace.push("a"), { undo: async () => void trace.push("undo a") });
      await sleep(3_600_000);
      await step("b", async () => void trace.push("b"));
    });
    await leave(slow, "x", "after:a", 60_000);
    const errors: unknown[] = [];
    await resumeRuns(store, [slow], { clock, onOutcome: ({ error }) => errors.push(error) });
    expect(errors.map((error) => isWorkflowError(error) && error.code)).toEqual(["TIMED_OUT"]);
    expect(trace).toEqual(["a", "undo a"]);
  });

  test("gives a workflow without input back what it had", async () => {
    const input = z.undefined() as unknown as Workflow["input"];
    const none = define(async ({ step }) => step("a", async () => 1), { input });
    const failpoint = (): void => {
      throw new Killed();
    };
    await runWorkflow(none, undefined, { journal: store, runId: "x", clock, failpoint }).catch(() => undefined);
    expect(await resumeRuns(store, [none], { clock })).toMatchObject({ completed: 1, notResumed: [] });
  });

  test("has at most so many under way at once, over all its walks", async () => {
    let [now, most] = [0, 0];
    const counted = define(async ({ step, sleep }) => {
      now += 1;
      most = Math.max(most, now);
      await step("a", async () => 1);
      await sleep(1_000);
      now -= 1;
    });
    for (let number = 0; number < 20; number += 1) await leave(counted, `x${number}`, "before:a");
    [now, most] = [0, 0];
    const stop = new AbortController();
    const walks = resumeRuns(store, [counted], {
      clock,
      concurrency: 3,
      everyMs: 100,
      signal: stop.signal,
      onOutcome: () => {
        ended += 1;
        if (ended === 20) stop.abort();
      },
    });
    let ended = 0;
    expect(await walks).toMatchObject({ completed: 20, busy: 0 });
    expect(most).toBe(3);
  });

  test("resolves when its signal aborts, though a run sleeps and others wait; nothing is undone", async () => {
    const slow = define(async ({ step, sleep }) => {
      await step("a", async () => void trace.push("a"), { undo: async () => void trace.push("undo a") });
      await sleep(3_600_000_000);
    });
    for (const runId of ["x", "y", "z"]) await leave(slow, runId, "before:a");
    const stop = new AbortController();
    const onEvent = ({ type }: { readonly type: string }): void => {
      if (type === "step.end") stop.abort();
    };
    // Its clock stands still for the sleep.
    const stands = { now: () => 0, sleep: () => new Promise<void>(() => undefined) };
    const report = await resumeRuns(store, [slow], { clock: stands, concurrency: 1, signal: stop.signal, onEvent });
    expect(report).toMatchObject({ completed: 0, failed: 0, underWay: 2 });
    expect(trace).toEqual(["a"]);
  });

  test("resumes what can be read where a record cannot, and says so; a listener's fault changes nothing", async () => {
    const flow = steps(["a"]);
    await leave(flow, "x", "before:a");
    const fault = new StoreError("CORRUPT", { message: "run:y cannot be read", hint: "repair it" });
    const broken: Store = {
      ...store,
      entries: async function* (filter) {
        yield* store.entries(filter);
        throw fault;
      },
    };
    const onOutcome = (): void => {
      throw new Error("a listener");
    };
    const report = await resumeRuns(broken, [flow], { clock, onOutcome });
    expect(report).toMatchObject({ completed: 1, unread: fault });
  });

  test.each([Number.NaN, 0, 1.5])(
    "refuses to begin %d runs at once, instead of waiting for ever",
    async (concurrency) => {
      await expect(resumeRuns(store, [], { concurrency })).rejects.toThrow("a whole number of at least 1");
    },
  );

  test("refuses two workflows of one type and version", async () => {
    await expect(resumeRuns(store, [steps(["a"]), steps(["b"])])).rejects.toThrow("two workflows test version 1");
  });
});

describe("hosts that are processes", { timeout: 300_000 }, () => {
  let root: string;
  let children: Child[];
  const start = (...args: readonly string[]): Child => {
    const child = startChild("resume-runs.ts", root, ...args);
    children.push(child);
    return child;
  };
  beforeEach(async () => {
    root = await mkdtemp(join(tmpdir(), "slipway-resume-"));
    await mkdir(join(root, "things"));
    children = [];
  });
  afterEach(async () => {
    for (const child of children) child.process.kill("SIGKILL");
    await Promise.all(children.map((child) => child.ended));
    await rm(root, { recursive: true, force: true });
  });

  test.each([
    ["ran:b", "ran:c"],
    ["undo-ran:b", "undo-ran:a"],
  ])("two hosts finish what one killed at %s left, after two that died at %s", async (first, second) => {
    expect((await start("make", "20", first).ended).signal).toBe("SIGKILL");
    // At least eight runs have that point before them, and each dies when it reaches it for the third time.
    const both = [start("walk", "0", second), start("walk", "0", second)];
    const ends = await Promise.all(both.map(({ ended }) => ended));
    expect(ends.map(({ signal }) => signal)).toEqual(["SIGKILL", "SIGKILL"]);
    start("walk");
    start("walk");
    const runs = fileStore(join(root, "store"));
    const open = async (): Promise<number> =>
      (await allEntries(runs, { kind: "run", states: ["running", "undoing"] })).length;
    // Each look reads the files again; the test's own limit is the deadline.
    while ((await open()) > 0);
    const records = (await allEntries(runs)).map(({ record }) => record);
    // The even ones succeed and leave three things each; the odd ones are undone.
    expect(records.filter(({ state }) => state === "completed")).toHaveLength(10);
    expect(records.filter(({ state }) => state === "failed")).toHaveLength(10);
    expect(await readdir(join(root, "things"))).toHaveLength(30);
    const ran = (await readFile(join(root, "trace"), "utf8")).trim().split("\n");
    expect(new Set(ran).size).toBe(60);
    // A step ran again only where its process died in it: twenty side by side at first, then four in each host.
    expect(ran.length).toBeLessThanOrEqual(60 + 20 + 4 + 4);
  });
});
