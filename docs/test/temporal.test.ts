import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describeWorkflowEngine } from "@slipway/contract-tests/vitest";
import { type EngineCase, engineCases, runEngineCase } from "@slipway/contract-tests/workflow-engine";
import { afterAll, describe, expect, test } from "vitest";
import { type Recipe, temporalStandIn } from "./temporal/stand-in.ts";

const docs = fileURLToPath(new URL("..", import.meta.url));
const page = readFileSync(join(docs, "guide", "workflows-on-temporal.md"), "utf8");
const folders: string[] = [];
afterAll(() => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});

/** The files of the page as it shows them, beside the package's own: there the packages are found. */
async function recipeWith(change: (code: string) => string): Promise<Recipe> {
  const folder = mkdtempSync(join(docs, ".temporal-"));
  folders.push(folder);
  for (const [, code = "", name = ""] of page.matchAll(/^```ts\n(\/\/ (\w+\.ts)\b[\s\S]*?)^```$/gm))
    writeFileSync(join(folder, name), change(code));
  return { ...(await import(join(folder, "workflows.ts"))), ...(await import(join(folder, "activities.ts"))) };
}

const recipe = await recipeWith((code) => code);

// The stand-in has no server that could be killed.
describeWorkflowEngine("the recipe for Temporal", temporalStandIn(recipe));

const cutOff: EngineCase = {
  id: "cancel.dead",
  title: "A run is undone that is cancelled while the worker that had its step is dead.",
  run: async ({ fixture, failure, world }) => {
    world.dieAt("ran:a");
    await fixture.begin("three", {}, { runId: "r" });
    await fixture.died();
    await fixture.cancel("three", "r");
    await fixture.restart();
    expect(await failure("three")).toMatchObject({ code: "CANCELLED", leftovers: [] });
    expect(world.things()).toEqual([]);
  },
};

const refusedAfterCutOff: EngineCase = {
  id: "cancel.dead-refused",
  title: "The same where the step is refused with nothing done when it is asked again.",
  run: async ({ fixture, failure, world }) => {
    world.dieAt("ran:a");
    await fixture.begin("refused-again", {}, { runId: "r" });
    await fixture.died();
    await fixture.cancel("refused-again", "r");
    await fixture.restart();
    expect((await failure("refused-again")).leftovers).toEqual([]);
    expect(world.things()).toEqual([]);
  },
};

test.each([cutOff, refusedAfterCutOff])("$id: $title", async (one) => {
  expect(await runEngineCase(one, temporalStandIn(recipe))).toBeUndefined();
});

// In each entry of a run, and one that sleeps: where it is cancelled, nothing more is done, and nothing is left.
const entries = ["start", "begin a", "step a", "begin sleep 1", "begin b", "step b"];
test.each(entries)("a run is undone that is cancelled while its server gets the entry %s", async (cancelAt) => {
  const one: EngineCase = {
    id: "cancel.entry",
    title: "cancelled",
    run: async ({ fails, world }) => {
      const sleepMs = cancelAt.endsWith("a") || cancelAt === "begin sleep 1" ? 3_600_000 : 1;
      expect(await fails("three", { sleepMs })).toMatchObject({ code: "CANCELLED", leftovers: [] });
      expect(world.things()).toEqual([]);
    },
  };
  await runEngineCase(one, temporalStandIn(recipe, cancelAt));
});

describe("a copy of the recipe that leaves out", () => {
  const broken: readonly (readonly [what: string, from: string, to: string, foundBy: string])[] = [
    ["that a step was tried before", "context.info.attempt > 1", "false", "undo.acted-before"],
    ["that a call was cut off", "|| call.isRepeat", "", "cancel.dead-refused"],
    ["that a cancelled run is still undone", "CancellationScope.nonCancellable(work)", "work()", "cancel.sleeping"],
    [
      "the end of a call after one entry",
      "throw new Advanced();\n      },\n      sleep",
      "return (next as { entry: { answer: T } }).entry.answer;\n      },\n      sleep",
      "step.killed.after",
    ],
  ];
  test.each(broken)("%s is found", async (_what, from, to, foundBy) => {
    expect(page.split(from)).toHaveLength(2);
    const mutant = await recipeWith((code) => code.replace(from, to));
    const one = [...engineCases, cutOff, refusedAfterCutOff].find(({ id }) => id === foundBy);
    expect(one).toBeDefined();
    if (one !== undefined) await expect(runEngineCase(one, temporalStandIn(mutant))).rejects.toBeInstanceOf(Error);
  });
});
