import { expect, test } from "vitest";
import { meaningOf } from "../src/errors.ts";
import { kubernetesErrorTable } from "../src/index.ts";
import captured from "./captured/errors.json" with { type: "json" };
import { ERROR_ANSWERS, type ErrorAnswer } from "./error-answers.ts";

function answerOf({ status, body, contentType = "application/json", headers = {} }: ErrorAnswer) {
  let json: unknown;
  try {
    json = JSON.parse(body);
  } catch {
    json = undefined;
  }
  const notJson = json === undefined ? "it is not JSON" : undefined;
  return { status, text: body, json, notJson, headers: new Headers({ "content-type": contentType, ...headers }) };
}

test.each(kubernetesErrorTable.map((row) => [row.id, row] as const))("%s means what the table says", (id, row) => {
  const answer = ERROR_ANSWERS[id];
  if (answer === undefined) throw new Error(`the row ${id} has no fixture`);
  expect(meaningOf(answerOf(answer), row.operation)).toMatchObject({ code: row.code, effect: row.effect });
});

// test/cluster/errors.cluster.ts has provoked these, and kept what the API server answered.
test.each(Object.entries(captured))("%s, as the real server says it", (id, answer) => {
  const row = kubernetesErrorTable.find((one) => one.id === id);
  expect(meaningOf(answerOf(answer), "spawn")).toMatchObject({ code: row?.code, effect: row?.effect });
});

test("a write to an earlier generation is told apart from a conflict", () => {
  const message =
    'Operation cannot be fulfilled on Pod "a": the UID in the precondition (x) does not match the UID in record (y).';
  const body = JSON.stringify({ kind: "Status", reason: "Conflict", message, details: { kind: "Pod" }, code: 409 });
  expect(meaningOf(answerOf({ status: 409, body }), "terminate")).toMatchObject({
    code: "INVALID_STATE",
    effect: "none",
  });
});
