import { expect, test } from "vitest";
import { type CommandErrorRow, commandErrorTable, execMethod, execOf } from "../../src/command/index.ts";
import { refusals } from "../../src/errors/index.ts";

const rows: readonly CommandErrorRow[] = [
  { id: "gone", operation: "terminate", says: /not found/, verbs: ["delete"], code: "NOT_FOUND", effect: "none" },
  { id: "usage", operation: "spawn", says: /^/, exitCode: 64, code: "UNSUPPORTED", effect: "none", hint: "Update it." },
];
const { rowOf, answeredError } = commandErrorTable({
  provider: "example",
  program: "examplectl",
  rows,
  sentenceIn: (stderr) => stderr.replace(/Usage: .*$/s, ""),
});
const reading = { operation: "get", writes: false };
const writing = { operation: "terminate", writes: true };

test("a row counts for its verbs and its exit code alone", () => {
  expect(rowOf({ verb: "delete", exitCode: 1, stderr: "vm not found" })?.id).toBe("gone");
  expect(rowOf({ verb: "list", exitCode: 1, stderr: "vm not found" })).toBeUndefined();
  expect(rowOf({ verb: "list", exitCode: 64, stderr: "vm not found" })?.id).toBe("usage");
});

test("an error has the words of the command, and what its row says", () => {
  const error = answeredError({ verb: "delete", exitCode: 1, stderr: "vm not found\nUsage: delete" }, writing);
  expect(error).toMatchObject({
    code: "NOT_FOUND",
    message: "examplectl delete: vm not found",
    effect: "none",
    native: { status: 1, code: "gone" },
  });
});

test("unknown words are of unknown effect after a write, and of none after a read", () => {
  const answer = { verb: "list", exitCode: null, stderr: "oh dear" };
  expect(answeredError(answer, writing)).toMatchObject({ code: "INTERNAL", effect: "unknown" });
  expect(answeredError(answer, reading)).toMatchObject({ effect: "none", native: { code: "unknown" } });
});

test("no part of a secret of two lines shows, since it is taken out before the words are put on one line", () => {
  const stderr = "wrote hunter2\nhunter3";
  const { message } = answeredError(
    { verb: "run", exitCode: 1, stderr },
    { ...writing, secrets: ["hunter2\nhunter3"] },
  );
  expect(message).not.toMatch(/hunter/);
});

test("exec refuses what no system can start, and passes the rest on", async () => {
  const seen: unknown[] = [];
  const exec = execMethod(refusals("example"), async (call, id, argv, input) => {
    seen.push([call.operation, id, argv, input.stdin]);
    return { exitCode: 0, stdout: "", stderr: "" };
  });
  await expect(exec("i-1", [])).rejects.toMatchObject({ code: "INVALID_SPEC", operation: "exec" });
  await exec("i-1", ["ls", "-l"], { stdin: "text" });
  expect(seen).toEqual([["exec", "i-1", ["ls", "-l"], "text"]]);
});

test("the caller's own exec is taken", () => {
  const own = async () => ({ exitCode: 0, signal: null, stdout: "own", stderr: "", durationMs: 0 });
  expect(execOf({ exec: own }, { provider: "example" })).toBe(own);
  expect(execOf(undefined, { provider: "example" })).toBeTypeOf("function");
});
