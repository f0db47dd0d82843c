import { ProviderError, type Workflow, type WorkflowContext } from "@slipway/core";
import { describe, expect, test } from "vitest";
import { z } from "zod";
import { isWorkflowError, memoryStore, runRecordId, runWorkflow } from "../src/index.ts";
import { simulatedClock } from "./simulated-clock.ts";

const no = (): never => {
  throw new Error("no");
};
/** Each trap of a proxy refuses: nothing about the value can be learned, but that it is no promise. */
const untouchable = (): object => {
  const traps = ["has", "ownKeys", "getPrototypeOf", "getOwnPropertyDescriptor", "isExtensible"];
  return new Proxy(
    {},
    {
      ...Object.fromEntries(traps.map((trap) => [trap, no])),
      get: (_target, name) => (name === "then" ? undefined : no()),
    },
  );
};
const cycle = (): object => {
  const one: Record<string, unknown> = {};
  one["self"] = one;
  return one;
};
const deep = (): object => {
  let value: object = {};
  for (let level = 0; level < 100_000; level += 1) value = { value };
  return value;
};
const broken = (): ProviderError =>
  Object.assign(
    new ProviderError("NETWORK", { message: "cut off", provider: "p", operation: "spawn", effect: "unknown" }),
    { toJSON: no },
  );
const endless = (): ProviderError =>
  Object.assign(
    new ProviderError("NETWORK", { message: "cut off", provider: "p", operation: "spawn", effect: "unknown" }),
    { toJSON: () => cycle() },
  );

const THROWN: readonly (readonly [string, () => unknown])[] = [
  ["nothing", () => undefined],
  ["null", () => null],
  ["a symbol", () => Symbol("odd")],
  ["an object without a text", () => Object.create(null)],
  ["an object whose text throws", () => ({ [Symbol.toPrimitive]: no })],
  ["an error whose message throws", () => Object.defineProperty(new Error(), "message", { get: no })],
  ["an error whose message is no text", () => Object.assign(new Error(), { message: 5n, name: cycle() })],
  ["what cannot be looked at", untouchable],
  ["a ProviderError that cannot be written down", broken],
  ["a ProviderError that is not JSON", endless],
];
const RETURNED: readonly (readonly [string, () => unknown])[] = [
  ["a getter that throws", () => Object.defineProperty({}, "id", { enumerable: true, get: no })],
  ["a cycle", cycle],
  ["what cannot be looked at", untouchable],
  ["what is nested too deep", deep],
  ["a big integer", () => 1n],
  ["a date", () => new Date(0)],
  ["a value whose own text lies", () => Object.defineProperty({}, "toJSON", { value: no })],
];

interface Fault {
  /** What a caller without types could write. */
  readonly step?: () => Promise<unknown>;
  readonly undo?: () => Promise<void>;
  readonly output?: () => unknown;
}

function world(fault: Fault) {
  const made: string[] = [];
  const anything = z.any() as unknown as Workflow["input"];
  const flow: Workflow = {
    type: "outcomes",
    version: 1,
    input: anything,
    output: anything,
    run: async ({ step }: WorkflowContext) => {
      await step("a", async () => made.push("a"), {
        undo: async () => {
          made.push("undo a");
        },
      });
      await step(
        "b",
        async () => {
          made.push("b");
          return (await fault.step?.()) as null;
        },
        {
          undo: async ({ outcome }) => {
            made.push(`undo b ${outcome}`);
            await fault.undo?.();
          },
        },
      );
      return fault.output?.();
    },
  };
  const journal = memoryStore();
  const run = () => runWorkflow(flow, null, { journal, clock: simulatedClock(), runId: "r" });
  const failure = async () => {
    const error: unknown = await run().then(
      () => new Error("it resolved"),
      (reason: unknown) => reason,
    );
    if (isWorkflowError(error)) return error;
    throw new Error("it is no WorkflowError");
  };
  return { made, failure, state: async () => await journal.read(runRecordId("r")) };
}

describe("a step that throws", () => {
  test.each(THROWN)("%s may have done something, and is undone", async (_name, thrown) => {
    const { made, failure, state } = world({
      step: async () => {
        throw thrown();
      },
    });
    expect(await failure()).toMatchObject({ code: "FAILED", leftovers: [] });
    expect(made).toEqual(["a", "b", "undo b unknown", "undo a"]);
    expect(await state()).toMatchObject({ state: "failed" });
    expect(await failure()).toMatchObject({ code: "FAILED", leftovers: [] });
  });
});

describe("a step that returns", () => {
  test.each(RETURNED)("%s has happened, and is undone", async (_name, returned) => {
    const { made, failure, state } = world({ step: async () => returned() });
    expect(await failure()).toMatchObject({ code: "RESULT_NOT_JSON", leftovers: [] });
    expect(made).toEqual(["a", "b", "undo b unknown", "undo a"]);
    expect(await state()).toMatchObject({ state: "failed" });
  });
});

describe("an undo that throws", () => {
  test.each(THROWN)("%s leaves its step over, and the others are undone", async (_name, thrown) => {
    const { made, failure, state } = world({
      step: async () => {
        throw new Error("failed");
      },
      undo: async () => {
        throw thrown();
      },
    });
    expect(await failure()).toMatchObject({ code: "FAILED", leftovers: [{ step: "b", outcome: "unknown" }] });
    expect(made).toEqual(["a", "b", "undo b unknown", "undo a"]);
    expect(await state()).toMatchObject({ state: "failed" });
  });
});

describe("a workflow that answers", () => {
  test.each(RETURNED)("%s is undone", async (_name, output) => {
    const { made, failure, state } = world({ output });
    expect(await failure()).toMatchObject({ code: "INVALID_OUTPUT", leftovers: [] });
    expect(made).toEqual(["a", "b", "undo b done", "undo a"]);
    expect(await state()).toMatchObject({ state: "failed" });
  });
});
