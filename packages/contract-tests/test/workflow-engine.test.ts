import { describe, expect, test } from "vitest";
import { type EngineCase, engineCases, runEngineCase } from "../src/workflow-engine.ts";
import { journalEngine } from "./journal-engine.ts";

describe.each(["rejects", "signals"] as const)("an engine that %s where a run is cancelled", (style) => {
  test.concurrent.each(engineCases.map((one) => [one.id, one.title, one] as const))(
    "%s: %s",
    async (id, _title, engineCase) => {
      const skip = await runEngineCase(engineCase, journalEngine(style));
      expect(skip === undefined || id === "engine.killed").toBe(true);
    },
  );
});

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
