import { ProviderError, type Schema, type StepOptions, type Workflow, type WorkflowContext } from "@slipway/core";
import { type EngineWorld, engineWorld } from "./world.ts";

/** What the suite's workflows take. */
export interface FlowInput {
  /** How step c fails: a refusal that did nothing, an answer that was lost, or an error of no provider. */
  readonly fails?: "none" | "unknown" | "plain";
  /** The step whose undo fails. */
  readonly stuck?: string;
  /** How long it sleeps between a and b. */
  readonly sleepMs?: number;
}

/** What a host of an engine registers for the suite, and how it dies where a case wants it to. */
export interface EngineSuite {
  readonly workflows: readonly Workflow[];
  /** For the binding's `failpoint`. */
  readonly failpoint: (name: string) => Promise<void>;
}

function schema<T>(holds: (value: unknown) => value is T): Schema<T> {
  const validate = (value: unknown) => (holds(value) ? { value } : { issues: [{ message: "it is another" }] });
  return { "~standard": { version: 1, vendor: "suite", validate } };
}

const isInput = (value: unknown): value is FlowInput =>
  typeof value === "object" && value !== null && !Object.hasOwn(value, "refused");
const isOutput = (value: unknown): value is unknown => value !== "not as promised";

/** As `kill -9` would: nothing runs after it. */
function killOwnProcess(): Promise<never> {
  process.kill(process.pid, "SIGKILL");
  return new Promise(() => undefined);
}

/** The suite's workflows over a world's directory. `die`: where the host is no process of its own. */
export function engineSuite(directory: string, die: () => Promise<never> = killOwnProcess): EngineSuite {
  const world = engineWorld(directory);
  return {
    workflows: Object.entries(FLOWS).map(([type, run]) => ({
      type,
      version: 1,
      input: schema(isInput),
      output: schema(isOutput),
      run: (ctx: WorkflowContext, input: unknown) => run(world, ctx, isInput(input) ? input : {}),
    })),
    failpoint: async (name) => {
      if (world.takeDeath(name)) await die();
    },
  };
}

type Flow = (world: EngineWorld, ctx: WorkflowContext, input: FlowInput) => Promise<unknown>;

const undoOf = (world: EngineWorld, name: string, input: FlowInput): StepOptions<string> => ({
  undo: async ({ key, outcome, result }) => {
    world.note(`undo ${name} ${outcome}${result === undefined ? "" : ` ${result}`}`);
    if (input.stuck === name) throw new Error(`${name} is stuck`);
    world.unmake(key);
  },
});

const refusal = (effect: "none" | "unknown"): ProviderError =>
  new ProviderError("CAPACITY_ERROR", { message: "the suite refuses", provider: "suite", operation: "spawn", effect });

const three: Flow = async (world, { step, sleep }, input) => {
  const made: string[] = [];
  for (const name of ["a", "b", "c"]) {
    if (name === "b" && input.sleepMs !== undefined) await sleep(input.sleepMs);
    const work = async ({ key }: { readonly key: string }): Promise<string> => {
      world.note(`do ${name} ${key}`);
      if (name === "c" && input.fails === "none") throw refusal("none");
      world.make(key, name);
      if (name === "c" && input.fails === "unknown") throw refusal("unknown");
      if (name === "c" && input.fails === "plain") throw new TypeError("plain");
      return name;
    };
    made.push(await step(name, work, undoOf(world, name, input)));
  }
  return made;
};

const FLOWS: Readonly<Record<string, Flow>> = {
  three,
  // Has a type that no engine takes for a name as it is.
  "three.of-another type": three,
  twice: async (world, { step }, input) => {
    await step("a", async ({ key }) => (world.make(key, "a"), "a"), undoOf(world, "a", input));
    return step("a", async () => "again");
  },
  // Steps that begin side by side.
  beside: async (world, { step }, input) => {
    const one = (name: string): Promise<string> =>
      step(
        name,
        async ({ key }) => {
          world.note(`do ${name} ${key}`);
          world.make(key, name);
          if (name === "b" && input.fails !== undefined) throw new Error("no");
          return name;
        },
        undoOf(world, name, input),
      );
    return Promise.all(["a", "b", "c"].map(one));
  },
  // Its step acts, and whoever asks again is refused with nothing done.
  "refused-again": async (world, { step }, input) =>
    step(
      "a",
      async ({ key }) => {
        world.note(`do a ${key}`);
        if (world.things().length > 0) throw refusal("none");
        world.make(key, "a");
        return "a";
      },
      undoOf(world, "a", input),
    ),
  // Its step makes its thing only after it was cancelled, as a request that is on its way.
  late: async (world, { step }, input) => {
    await step("a", async ({ key }) => (world.make(key, "a"), "a"), undoOf(world, "a", input));
    await step(
      "b",
      async ({ key, signal }) => {
        world.note("b runs");
        await world.opened("never", signal);
        // A while later, as an answer that takes its time.
        await new Promise((resolve) => setTimeout(resolve, 200));
        world.make(key, "b");
        world.note("b made");
        return "b";
      },
      undoOf(world, "b", input),
    );
    // Heeds the cancellation at the latest.
    return step("c", async () => "c");
  },
  // Its undo waits for a gate.
  "slow-undo": async (world, { step }, input) => {
    await step("a", async ({ key }) => (world.make(key, "a"), "a"), {
      undo: async ({ key }) => {
        world.note("undoing a");
        await world.opened("undo");
        world.unmake(key);
        world.note("undone a");
      },
    });
    return step("b", async () => Promise.reject(new Error("no")), undoOf(world, "b", input));
  },
  clock: async (world, { step, now }) => {
    const first = await now();
    world.note(`now ${first}`);
    await step("a", async () => 1);
    return [first, await now()];
  },
  caught: async (world, { step }) => {
    const error: unknown = await step("a", async () => {
      world.note("do a");
      throw refusal("none");
    }).catch((thrown: unknown) => thrown);
    const { code, effect, retryable } = Object(error);
    return { code, effect, retryable };
  },
  "bad-result": async (world, { step }, input) =>
    step("a", async ({ key }) => (world.make(key, "a"), new Date() as unknown as string), undoOf(world, "a", input)),
  "bad-output": async (world, { step }, input) => {
    await step("a", async ({ key }) => (world.make(key, "a"), "a"), undoOf(world, "a", input));
    return "not as promised";
  },
  nested: async (_world, { step }) => step("a", async () => step("b", async () => 1)),
};
