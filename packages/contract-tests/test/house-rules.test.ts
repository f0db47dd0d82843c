import { expect, test } from "vitest";
import { rules } from "../src/rules.ts";
import { controlCases } from "./house/control-cases.ts";
import { coreCases } from "./house/core-cases.ts";

const cases = { core: coreCases, control: controlCases };
const bound = rules.flatMap(({ id, sentence, subject }) => (subject === "provider" ? [] : [{ id, sentence, subject }]));

test.each(bound)("$subject keeps $id: $sentence", async ({ id, subject }) => {
  const holds = cases[subject][id];
  expect(holds, `${id} has no case`).toBeTypeOf("function");
  await holds?.();
});

test("no case is for a rule that is somebody else's", () => {
  const known = bound.map(({ id, subject }) => `${subject} ${id}`).sort();
  const tried = [
    ...Object.keys(coreCases).map((id) => `core ${id}`),
    ...Object.keys(controlCases).map((id) => `control ${id}`),
  ];
  expect(tried.sort()).toEqual(known);
});
