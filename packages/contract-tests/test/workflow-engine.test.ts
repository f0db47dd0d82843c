import { expect, test } from "vitest";
import { describeWorkflowEngine } from "../src/vitest.ts";
import { type EngineCase, runEngineCase } from "../src/workflow-engine.ts";
import { journalEngine } from "./journal-engine.ts";

for (const style of ["rejects", "signals"] as const)
  describeWorkflowEngine(`an engine that ${style} where a run is cancelled`, journalEngine(style));

const names = ["a", "b", "c"];
const steps = names.flatMap((name) => ["before", "ran", "after"].map((when) => `${when}:${name}`));
const undos = steps.map((point) => `undo-${point}`);
const deaths: readonly (readonly string[])[] = [
  ...steps.filter((point) => !/(ran|after):c/.test(point)).map((point) => [point]),
  ...undos.map((point) => [point]),
  ...undos.map((point) => ["ran:b", point]),
  ["before:a", "ran:a", "before:b", "ran:b", "after:b", "undo-before:c", "undo-ran:c", "undo-after:b", "undo-ran:a"],
];

test.concurrent.each(deaths.map((points) => [points.join(), points] as const))(
  "a run that dies at %s is undone, and nothing is left",
  async (_points, dieAt) => {
    const killed: EngineCase = {
      id: "killed",
      title: "killed",
      run: async ({ fails, world }) => {
        expect(await fails("three", { fails: "plain" }, { dieAt })).toMatchObject({ code: "FAILED", leftovers: [] });
        expect(world.things()).toEqual([]);
      },
    };
    await runEngineCase(killed, journalEngine("signals"));
  },
);
