import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  isProviderError,
  ProviderError,
  type StepOptions,
  type Workflow,
  type WorkflowContext,
  workflow,
} from "@slipway/core";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { z } from "zod";
import {
  fileStore,
  isWorkflowError,
  memoryStore,
  type RunOptions,
  runRecordId,
  runWorkflow,
  type Store,
  StoreError,
  stepKey,
  type WorkflowError,
  type WorkflowEvent,
} from "../src/index.ts";
import { type SimulatedClock, simulatedClock } from "./simulated-clock.ts";

class Killed extends Error {}

const dieAt = (point: string) => (name: string) => {
  if (name === point) throw new Killed(point);
};
const providerError = (code: "NETWORK" | "QUOTA_EXCEEDED", effect: "none" | "unknown" | "applied") =>
  new ProviderError(code, { message: `scripted ${code}`, provider: "scripted", operation: "spawn", effect });

async function failureOf(work: Promise<unknown>): Promise<WorkflowError> {
  const error: unknown = await work.then(
    (value) => new Error(`it resolved with ${JSON.stringify(value)}`),
    (reason: unknown) => reason,
  );
  if (isWorkflowError(error)) return error;
  throw error;
}

/** A world in which steps make things under their keys; making one twice makes nothing new. */
const things = new Map<string, string>();
const trace: string[] = [];
let clock: SimulatedClock;
let directory: string;
let journal: Store;

beforeEach(async () => {
  things.clear();
  trace.length = 0;
  clock = simulatedClock();
  directory = await mkdtemp(join(tmpdir(), "slipway-workflow-"));
  journal = memoryStore();
});
afterEach(() => rm(directory, { recursive: true, force: true }));

const anything = z.any() as unknown as Workflow["input"];
const define = (run: (ctx: WorkflowContext, input: unknown) => Promise<unknown>, version = 1): Workflow => ({
  type: "test",
  version,
  input: anything,
  output: anything,
  run,
});
const run = (flow: Workflow, options: Partial<RunOptions> = {}): Promise<unknown> =>
  runWorkflow(flow, null, { journal, clock, runId: "r", ...options });

const make = (name: string) => async (step: { readonly key: string }) => {
  trace.push(`make ${name}`);
  things.set(step.key, name);
  return name;
};
const unmake = (name: string): StepOptions<string> => ({
  undo: async ({ key, outcome }) => {
    trace.push(`unmake ${name} ${outcome}`);
    things.delete(key);
  },
});

const three = define(async ({ step, sleep }) => {
  const a = await step("a", make("a"), unmake("a"));
  await sleep(10_000);
  const b = await step("b", make("b"), unmake("b"));
  const c = await step("c", make("c"), unmake("c"));
  return [a, b, c];
});
const failing = define(async ({ step }) => {
  await step("a", make("a"), unmake("a"));
  await step("b", make("b"), unmake("b"));
  await step("c", async () => {
    throw providerError("QUOTA_EXCEEDED", "none");
  });
});

describe("a run that succeeds", () => {
  test("answers its output, and again when it is called again, without repeating a step", async () => {
    expect(await run(three)).toEqual(["a", "b", "c"]);
    expect(await run(three)).toEqual(["a", "b", "c"]);
    expect(trace).toEqual(["make a", "make b", "make c"]);
  });

  test("gives each step a key that is a pure function of type, runId and name", async () => {
    await run(three);
    expect([...things.keys()]).toEqual(["a", "b", "c"].map((name) => stepKey("test", "r", name)));
    expect(stepKey("test", "r", "a")).not.toBe(stepKey("test", "ra", ""));
    expect(stepKey("test", "r", "a")).not.toBe(stepKey("testr", "", "a"));
    expect(stepKey("t", "r".repeat(500), "\u{1f6a2}")).toMatch(/^[\x20-\x7e]{1,128}$/);
  });

  test("types its input and output by the schemas, and applies them", async () => {
    const doubled = workflow({
      type: "doubled",
      version: 1,
      input: z.object({ n: z.number().int() }),
      output: z.object({ doubled: z.number() }),
      run: async ({ step }, { n }) => ({ doubled: await step("double", async () => n * 2) }),
    });
    expect(await runWorkflow(doubled, { n: 4 }, { journal, clock })).toEqual({ doubled: 8 });
    const wrong = await failureOf(runWorkflow(doubled, { n: 0.5 }, { journal, clock }));
    expect(wrong.code).toBe("INVALID_INPUT");
  });

  test("tells its steps as events that hold no result", async () => {
    const events: WorkflowEvent[] = [];
    await run(
      define(async ({ step }) => step("secret", async () => "hush-4711")),
      { onEvent: (event) => events.push(event) },
    );
    expect(events.map(({ type }) => type)).toEqual(["run.start", "step.start", "step.end", "run.end"]);
    expect(JSON.stringify(events)).not.toContain("hush-4711");
  });

  test("now is the same at every replay, and sleep waits only for what is left", async () => {
    const seen: number[] = [];
    const flow = define(async ({ step, sleep, now }) => {
      seen.push(await now());
      await sleep(30_000);
      await step("late", async () => null);
      return seen.at(-1) ?? null;
    });
    const begun = clock.now();
    await expect(run(flow, { failpoint: dieAt("before:late") })).rejects.toBeInstanceOf(Killed);
    const slept = clock.now();
    expect(slept - begun).toBe(30_000);
    expect(await run(flow)).toBe(begun);
    expect(clock.now()).toBe(slept);
    expect(seen).toEqual([begun, begun]);
  });
});

describe.each(["memory", "file"])("killed and resumed with the %s store", (kind) => {
  beforeEach(() => {
    journal = kind === "memory" ? memoryStore() : fileStore(directory);
  });

  const points = ["a", "b", "c"].flatMap((step) => [`before:${step}`, `ran:${step}`, `after:${step}`]);
  test.each(points)("at %s it finishes with each thing made once", async (point) => {
    await expect(run(three, { failpoint: dieAt(point) })).rejects.toBeInstanceOf(Killed);
    expect(await run(three)).toEqual(["a", "b", "c"]);
    expect([...things.values()]).toEqual(["a", "b", "c"]);
    // Only the step in which it died may run twice.
    const repeated = trace.filter((line, index) => trace.indexOf(line) !== index);
    expect(repeated).toEqual(point.startsWith("ran:") ? [`make ${point.slice(4)}`] : []);
  });

  const undoPoints = ["a", "b"].flatMap((step) => [`undo-before:${step}`, `undo-ran:${step}`, `undo-after:${step}`]);
  test.each(undoPoints)("at %s it goes on taking back", async (point) => {
    await expect(run(failing, { failpoint: dieAt(point) })).rejects.toBeInstanceOf(Killed);
    const error = await failureOf(run(failing));
    expect(error).toMatchObject({ code: "FAILED", leftovers: [], cause: { code: "QUOTA_EXCEEDED" } });
    expect(things.size).toBe(0);
    expect(trace.filter((line) => line.startsWith("make"))).toEqual(["make a", "make b"]);
    const again = await failureOf(run(failing));
    expect(again).toMatchObject({ code: "FAILED", leftovers: [] });
  });

  test.each(["undo-before:a", "undo-ran:a", "undo-after:a"])(
    "at %s of a cancelled run: what it had not come to is not begun by the replay that looks for its undos",
    async (point) => {
      const controller = new AbortController();
      const flow = define(async ({ step, sleep }) => {
        await step("a", make("a"), unmake("a"));
        await Promise.all([step("b", make("b"), unmake("b")), sleep(1000)]);
      });
      const dying = run(flow, {
        signal: controller.signal,
        failpoint: (name) => {
          if (name === "after:a") controller.abort();
          dieAt(point)(name);
        },
      });
      await expect(dying).rejects.toBeInstanceOf(Killed);
      const before = trace.length;
      // Not cancelled itself: what was cancelled stays so.
      expect(await failureOf(run(flow))).toMatchObject({ code: "CANCELLED", leftovers: [] });
      // What a replay had begun would go on behind the answer.
      await new Promise((resolve) => setImmediate(resolve));
      expect(trace.slice(before).filter((line) => line.startsWith("make"))).toEqual([]);
      expect(things.size).toBe(0);
      const record = await journal.read(runRecordId("r"));
      expect(record?.kind === "run" && record.steps.map(({ kind, name }) => `${kind} ${name}`)).toEqual(["step a"]);
    },
  );

  test("in a step, and then cancelled: what the step may have done is undone", async () => {
    await expect(run(three, { failpoint: dieAt("ran:b") })).rejects.toBeInstanceOf(Killed);
    const error = await failureOf(run(three, { signal: AbortSignal.abort() }));
    expect(error).toMatchObject({ code: "CANCELLED", leftovers: [] });
    expect(trace.slice(-2)).toEqual(["unmake b unknown", "unmake a done"]);
    expect(things.size).toBe(0);
  });

  test("in a step that is then refused: what the first try did is undone", async () => {
    let refuse = false;
    const flow = define(async ({ step }) =>
      step(
        "a",
        async (given) => {
          if (refuse) throw providerError("QUOTA_EXCEEDED", "none");
          return make("a")(given);
        },
        unmake("a"),
      ),
    );
    await expect(run(flow, { failpoint: dieAt("ran:a") })).rejects.toBeInstanceOf(Killed);
    refuse = true;
    expect((await failureOf(run(flow))).leftovers).toEqual([]);
    expect(things.size).toBe(0);
  });

  test("a failed step fails in the same way at every replay", async () => {
    const flow = define(async ({ step }) => {
      const where = await step("first", async () => {
        throw providerError("QUOTA_EXCEEDED", "none");
      }).catch((error: unknown) => (isProviderError(error) ? error.code : "?"));
      await step("second", async () => null);
      return where;
    });
    await expect(run(flow, { failpoint: dieAt("before:second") })).rejects.toBeInstanceOf(Killed);
    expect(await run(flow)).toBe("QUOTA_EXCEEDED");
  });
});

describe("a run that fails", () => {
  test("undoes in reverse order, and not the step that did nothing", async () => {
    const error = await failureOf(run(failing));
    expect(error).toMatchObject({ code: "FAILED", runId: "r", leftovers: [], cause: { code: "QUOTA_EXCEEDED" } });
    expect(trace).toEqual(["make a", "make b", "unmake b done", "unmake a done"]);
  });

  test.each([
    ["unknown", providerError("NETWORK", "unknown")],
    ["applied", providerError("NETWORK", "applied")],
    ["of another kind", new Error("boom")],
  ])("also undoes the failed step when its effect is %s", async (_name, thrown) => {
    const flow = define(async ({ step }) => {
      await step(
        "x",
        async () => {
          throw thrown;
        },
        unmake("x") as StepOptions<never>,
      );
    });
    await failureOf(run(flow));
    expect(trace).toEqual(["unmake x unknown"]);
  });

  test("an earlier attempt of unknown effect is undone although the last one did nothing", async () => {
    const errors = [providerError("NETWORK", "unknown"), providerError("QUOTA_EXCEEDED", "none")];
    const flow = define(async ({ step }) =>
      step(
        "x",
        async (): Promise<string> => {
          throw errors.shift();
        },
        { ...unmake("x"), retry: { attempts: 3, delayMs: 100 } },
      ),
    );
    await failureOf(run(flow));
    expect(trace).toEqual(["unmake x unknown"]);
  });

  test("runs every undo though one fails, names what is left, and tries that again when called again", async () => {
    let broken = true;
    const flow = define(async ({ step }) => {
      await step("a", make("a"), unmake("a"));
      await step("b", make("b"), {
        undo: async ({ key }) => {
          if (broken) throw new Error("b is stuck");
          things.delete(key);
        },
      });
      throw new Error("no");
    });
    const error = await failureOf(run(flow));
    expect(error.leftovers).toMatchObject([
      { step: "b", key: stepKey("test", "r", "b"), outcome: "done", result: "b" },
    ]);
    expect(String(error.leftovers[0]?.error)).toContain("b is stuck");
    expect(error.message).toContain("not undone: b");
    expect([...things.values()]).toEqual(["b"]);
    broken = false;
    expect((await failureOf(run(flow))).leftovers).toEqual([]);
    expect(things.size).toBe(0);
    expect(trace.filter((line) => line.startsWith("unmake a"))).toHaveLength(1);
  });

  test("steps that run beside the failed one are stopped first, then undone", async () => {
    const flow = define(async ({ step }) => {
      await Promise.all([
        step(
          "slow",
          async ({ key, signal }) => {
            things.set(key, "slow");
            await clock.sleep(50_000, signal).catch(() => undefined);
            trace.push("slow ended");
            return "slow";
          },
          unmake("slow"),
        ),
        step("fast", async () => {
          throw providerError("QUOTA_EXCEEDED", "none");
        }),
      ]);
    });
    const error = await failureOf(run(flow));
    expect(error.cause).toMatchObject({ code: "QUOTA_EXCEEDED" });
    expect(trace).toEqual(["slow ended", "unmake slow done"]);
    expect(clock.elapsed()).toBe(0);
  });

  test("a step that does not stop when cancelled is given up after its grace, and undone as unknown", async () => {
    const controller = new AbortController();
    const flow = define(async ({ step }) =>
      step(
        "stubborn",
        () => {
          controller.abort();
          return new Promise<string>(() => undefined);
        },
        unmake("stubborn"),
      ),
    );
    const error = await failureOf(run(flow, { signal: controller.signal, graceMs: 5000 }));
    expect(error.code).toBe("CANCELLED");
    expect(trace).toEqual(["unmake stubborn unknown"]);
    expect(clock.elapsed()).toBe(5000);
  });
});

describe("time and cancellation", () => {
  test("cancelling undoes what was done", async () => {
    const controller = new AbortController();
    const flow = define(async ({ step, sleep }) => {
      await step("a", make("a"), unmake("a"));
      controller.abort();
      await sleep(1000);
    });
    const error = await failureOf(run(flow, { signal: controller.signal }));
    expect(error).toMatchObject({ code: "CANCELLED", leftovers: [] });
    expect(trace).toEqual(["make a", "unmake a done"]);
  });

  test("maxDurationMs cancels, counted over a crash", async () => {
    await expect(run(three, { maxDurationMs: 60_000, failpoint: dieAt("before:b") })).rejects.toBeInstanceOf(Killed);
    clock.advance(100_000);
    const error = await failureOf(run(three, { maxDurationMs: 60_000 }));
    expect(error).toMatchObject({ code: "TIMED_OUT", leftovers: [] });
    expect(trace).toEqual(["make a", "unmake a done"]);
  });

  test("maxDurationMs ends a sleep", async () => {
    const flow = define(async ({ step, sleep }) => {
      await step("a", make("a"), unmake("a"));
      await sleep(50_000);
      await step("b", make("b"), unmake("b"));
    });
    expect((await failureOf(run(flow, { maxDurationMs: 20_000 }))).code).toBe("TIMED_OUT");
    expect(trace).toEqual(["make a", "unmake a done"]);
  });

  test("only retryable errors are tried again, after the delay or what the remote asks for", async () => {
    const errors = [
      providerError("NETWORK", "none"),
      new ProviderError("RATE_LIMIT_ERROR", {
        message: "slow down",
        provider: "scripted",
        operation: "spawn",
        effect: "none",
        retryAfterMs: 7000,
      }),
    ];
    const flow = define(async ({ step }) =>
      step(
        "x",
        async () => {
          const error = errors.shift();
          if (error !== undefined) throw error;
          return "made";
        },
        { retry: { attempts: 3, delayMs: 1000 } },
      ),
    );
    expect(await run(flow)).toBe("made");
    expect(clock.elapsed()).toBe(8000);
  });
});

describe("misuse and broken journals", () => {
  test("two steps of one name", async () => {
    const flow = define(async ({ step }) => {
      await step("a", make("a"), unmake("a"));
      await step("a", make("a"), unmake("a"));
    });
    expect(await failureOf(run(flow))).toMatchObject({ code: "DUPLICATE_STEP", leftovers: [] });
    expect(things.size).toBe(0);
  });

  test("a step inside a step", async () => {
    const flow = define(async ({ step }) =>
      step("outer", async () => step("inner", make("inner"), unmake("inner")), unmake("outer")),
    );
    const error = await failureOf(run(flow));
    expect(String(error.cause)).toMatch(/do not nest/);
    expect(trace).toEqual(["unmake outer unknown"]);
  });

  test("a run that is halted tells the steps that still run", async () => {
    let told: AbortSignal | undefined;
    const flow = define(async ({ step }) =>
      Promise.all([
        step("long", async ({ signal }) => {
          told = signal;
          return new Promise<string>(() => undefined);
        }),
        step("short", make("short")),
      ]),
    );
    await expect(run(flow, { failpoint: dieAt("ran:short") })).rejects.toBeInstanceOf(Killed);
    expect(told?.aborted).toBe(true);
  });

  const cycle: unknown[] = [];
  cycle.push(cycle);
  test.each([
    ["a date", new Date(0)],
    ["NaN", { n: Number.NaN }],
    ["a member that is undefined", { a: undefined }],
    ["a map", new Map()],
    ["a function", { f: () => 1 }],
    ["a bigint", 1n],
    ["a cycle", cycle],
    ["a hole", Array.from({ length: 1 })],
  ])("%s is no step result, and the step is undone", async (_name, value) => {
    const flow = define(async ({ step }) => step("x", async () => value as unknown as string, unmake("x")));
    expect((await failureOf(run(flow))).code).toBe("RESULT_NOT_JSON");
    expect(trace).toEqual(["unmake x unknown"]);
  });

  test("nothing, as a result, stays nothing at the replay", async () => {
    const seen: unknown[] = [];
    const flow = define(async ({ step }) => {
      seen.push(await step("void", async () => undefined));
      await step("last", async () => null);
    });
    await expect(run(flow, { failpoint: dieAt("before:last") })).rejects.toBeInstanceOf(Killed);
    await run(flow);
    expect(seen).toEqual([undefined, undefined]);
  });

  test("another version, type or input is not resumed, and the journal stays as it is", async () => {
    await expect(run(three, { failpoint: dieAt("after:a") })).rejects.toBeInstanceOf(Killed);
    const before = await journal.read(runRecordId("r"));
    expect((await failureOf(run({ ...three, version: 2 }))).code).toBe("MISMATCH");
    expect((await failureOf(run({ ...three, type: "other" }))).code).toBe("MISMATCH");
    const other = runWorkflow(three, { other: true }, { journal, clock, runId: "r" });
    expect((await failureOf(other)).code).toBe("MISMATCH");
    expect(await journal.read(runRecordId("r"))).toEqual(before);
    expect(await run(three)).toEqual(["a", "b", "c"]);
  });

  test("a run that another process works on is BUSY", async () => {
    await journal.acquire(runRecordId("r"));
    expect((await failureOf(run(three))).code).toBe("BUSY");
    expect(trace).toEqual([]);
  });

  test("an output that breaks the promise is undone", async () => {
    const flow: Workflow = {
      ...define(async ({ step }) => step("a", make("a"), unmake("a"))),
      output: z.number(),
    };
    expect(await failureOf(run(flow))).toMatchObject({ code: "INVALID_OUTPUT", leftovers: [] });
    expect(things.size).toBe(0);
  });

  test.each([
    ["each time the whole record", false],
    ["each step once", true],
  ])("a journal that fails stops the run, even if the workflow catches everything: %s", async (_name, appends) => {
    let writes = 0;
    const mustFit = (): void => {
      if (++writes === 3) throw new StoreError("FULL", { message: "no space", hint: "Free some." });
    };
    const full: Store = {
      ...journal,
      write: async (id, record) => {
        mustFit();
        await journal.write(id, record);
      },
      appendStep: appends
        ? async (id, step) => {
            mustFit();
            await journal.appendStep?.(id, step);
          }
        : undefined,
    };
    const flow = define(async ({ step }) => {
      for (const name of ["a", "b", "c"]) await step(name, make(name), unmake(name)).catch(() => undefined);
      return "done";
    });
    await expect(run(flow, { journal: full })).rejects.toMatchObject({ name: "StoreError", code: "FULL" });
    expect(trace).toEqual(["make a"]);
    expect(await run(flow)).toBe("done");
    expect([...things.values()]).toEqual(["a", "b", "c"]);
  });

  test("a step that is begun after the workflow has ended is refused", async () => {
    let later: (() => Promise<unknown>) | undefined;
    const flow = define(async ({ step }) => {
      later = () => step("late", make("late"));
      return null;
    });
    await run(flow);
    await expect(later?.()).rejects.toThrow(/await every step/);
    expect(trace).toEqual([]);
  });
});

test("a run whose lease is lost stops where it is: its steps are told, and nothing is undone", async () => {
  const lost = new AbortController();
  const leases: Store = {
    ...journal,
    acquire: async (id) => {
      const lease = await journal.acquire(id);
      return lease === null ? null : { ...lease, signal: lost.signal, held: () => !lost.signal.aborted };
    },
  };
  let told: unknown;
  const one = workflow({
    type: "lost",
    version: 1,
    input: z.null(),
    output: z.null(),
    run: async ({ step }) => {
      await step("a", async () => trace.push("a"), { undo: async () => void trace.push("undo a") });
      await step("b", async ({ signal }) => {
        trace.push("b");
        lost.abort();
        await Promise.resolve();
        signal.addEventListener("abort", () => {
          told = true;
        });
        await new Promise(() => undefined);
      });
      return null;
    },
  });
  const run = runWorkflow(one, null, { journal: leases, runId: "r", clock });
  await expect(run).rejects.toMatchObject({ name: "StoreError", code: "NOT_HELD" });
  expect(trace).toEqual(["a", "b"]);
  expect(told).toBe(true);
  const record = await journal.read(runRecordId("r"));
  expect(record).toMatchObject({ state: "running", steps: [{ state: "done" }, { state: "started" }] });
});
