import { ProviderRegistry } from "@slipway/core";
import { expect, test } from "vitest";
import { declareContract, declareRegistry, type TestRunner } from "../src/binding.ts";
import type { Harness, HarnessFactory } from "../src/harness.ts";
import { memoryHarness } from "./memory-harness.ts";
import { intercept } from "./mutants/intercept.ts";

type Outcome = "passed" | "failed" | "skipped";

/** A runner that keeps what it is told, and runs it afterwards in order; `without` the cases, only what is around them. */
async function recorded(
  declare: (runner: TestRunner) => void,
  { without }: { readonly without?: "cases" } = {},
): Promise<ReadonlyMap<string, Outcome>> {
  const outcomes = new Map<string, Outcome>();
  const queue: (() => Promise<void>)[] = [];
  const path: string[] = [];
  const bodies: Promise<void>[] = [];
  const named = (name: string): string => [...path, name].join(" > ");
  const runner: TestRunner = {
    describe: (name, body) => {
      path.push(name);
      const pending = body();
      if (pending instanceof Promise) bodies.push(pending.finally(() => path.pop()));
      else path.pop();
    },
    test: (name, body) => {
      const full = named(name);
      if (without === "cases" && path.length > 1) return;
      queue.push(async () => {
        let outcome: Outcome = "passed";
        const skip = (): void => {
          outcome = "skipped";
        };
        await body(skip).catch(() => {
          outcome = "failed";
        });
        outcomes.set(full, outcome);
      });
    },
    skipped: (name) => outcomes.set(named(name), "skipped"),
  };
  declare(runner);
  await Promise.all(bodies);
  for (const run of queue) await run();
  return outcomes;
}

const factory = memoryHarness();
const failures = (outcomes: ReadonlyMap<string, Outcome>): readonly string[] =>
  [...outcomes].filter(([, outcome]) => outcome === "failed").map(([name]) => name.split(" > ").at(-1) ?? "");

test("each case is a test, those that projection can change are two, and a check that all ran", async () => {
  const outcomes = await recorded((runner) => declareContract(runner, "memory", factory));
  expect(failures(outcomes)).toEqual([]);
  const names = [...outcomes.keys()];
  for (const [mode, atLeast] of [
    ["plain", 190],
    ["projected", 30],
  ] as const) {
    expect(names.filter((name) => name.includes(` > ${mode} > `)).length).toBeGreaterThan(atLeast);
    expect(names.some((name) => name.endsWith(`${mode} > every case that the capabilities select has run`))).toBe(true);
  }
});

test("a provider that breaks a rule fails the case's test, and no other", async () => {
  const broken: HarnessFactory = async () =>
    intercept({ list: (args, next) => next({ owner: "*", ...Object(args[0]) }, args[1]) })(await factory());
  const outcomes = await recorded((runner) => declareContract(runner, "memory", broken));
  expect(failures(outcomes).map((name) => name.split(":")[0])).toEqual(["owner.lists-own"]);
});

test("what many cases fail of is said once more, behind them all", async () => {
  const broken: HarnessFactory = async () => intercept({ terminate: async () => undefined })(await factory());
  const found = failures(await recorded((runner) => declareContract(runner, "memory", broken)));
  expect(found.length).toBeGreaterThan(20);
  expect(found.at(-1)).toBe("no rule is broken in many cases");
});

test("a harness that cannot be made is a failing test, not a missing one", async () => {
  const none = async (): Promise<Harness> => {
    throw new Error("no emulator");
  };
  expect(failures(await recorded((runner) => declareContract(runner, "x", none)))).toEqual(["the harness can be made"]);
});

test("a bad skip is a failing test", async () => {
  const skips = [{ id: "regions.filter", reason: "", reviewBy: "2020-01-01" }] as const;
  const outcomes = await recorded((runner) => declareContract(runner, "memory", factory, { skips }), {
    without: "cases",
  });
  expect(failures(outcomes)).toEqual(["every skip is allowed and not overdue"]);
});

test("a registered provider without a harness fails, and so does a harness for none", async () => {
  const { registration } = await factory();
  const registry = new ProviderRegistry({ memory: registration, other: registration });
  const harnesses = { memory: factory, absent: factory } as unknown as {
    memory: HarnessFactory;
    other: HarnessFactory;
  };
  const outcomes = await recorded((runner) => declareRegistry(runner, registry, harnesses), { without: "cases" });
  expect(failures(outcomes)).toEqual(["other has a harness", "absent is registered"]);
});

test("a harness for another provider than the registered one fails", async () => {
  const { registration } = await factory();
  const provider = { ...registration.provider, tier: "reference" as const };
  const registry = new ProviderRegistry({ memory: { ...registration, provider } });
  const outcomes = await recorded((runner) => declareRegistry(runner, registry, { memory: factory }), {
    without: "cases",
  });
  expect(failures(outcomes)).toEqual(["memory's harness is for the registered provider"]);
});

test("without modes only the harnesses are compared with what is registered", async () => {
  const { registration } = await factory();
  const registry = new ProviderRegistry({ memory: registration });
  const outcomes = await recorded((runner) => declareRegistry(runner, registry, { memory: factory }, { modes: [] }));
  expect([...outcomes.keys()].map((name) => name.split(" > ").at(-1))).toEqual([
    "memory's harness is for the registered provider",
    "every skip is allowed and not overdue",
  ]);
});

test("what is registered for clusters alone needs no harness", async () => {
  const { registration } = await factory();
  const { provider: _provider, ...clusters } = registration;
  const registry = new ProviderRegistry({ clusters });
  expect(await recorded((runner) => declareRegistry(runner, registry, { clusters: null }))).toEqual(new Map());
});
