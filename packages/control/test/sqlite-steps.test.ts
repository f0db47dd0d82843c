import { mkdtemp, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterEach, beforeEach, expect, test } from "vitest";
import { parseRecordRow, type RunRecord, recordText, runRecordId, type StepRecord, sqliteStore } from "../src/index.ts";

let directory: string;
let file: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "slipway-sqlite-steps-"));
  file = join(directory, "store.db");
});
afterEach(() => rm(directory, { recursive: true, force: true }));

const id = runRecordId("r");
const step = (name: string, result: string): StepRecord => ({
  ...{ name, kind: "step", state: "done", undoable: false, result },
});
const run = (...steps: readonly StepRecord[]): RunRecord => ({
  ...{ kind: "run", runId: "r", type: "t", version: 1, state: "running", startedAt: "2026-01-01T00:00:00Z" },
  ...{ input: null, steps },
});

test("a step that is added writes what the step costs, not what the record does", async () => {
  const store = sqliteStore(file);
  await store.acquire(id);
  await store.write(id, run(step("large", "x".repeat(1_000_000))));
  const written = async () => (await stat(`${file}-wal`)).size;
  const before = await written();
  const many = 20;
  for (let at = 0; at < many; at += 1) await store.appendStep?.(id, step(`s${at}`, "x".repeat(100)));
  // A few pages of the database each.
  expect((await written()) - before).toBeLessThan(many * 20_000);
  const read = await store.read(id);
  expect(read?.kind === "run" ? read.steps.length : 0).toBe(many + 1);
  await store.close?.();
});

test("an earlier version refuses a record that steps may be added to", () => {
  const text = recordText(run(step("a", "1")));
  // What it did: a record of a kind that it does not know is of a newer version.
  expect(JSON.parse(text).kind).not.toBe("run");
  expect(parseRecordRow(text)).toEqual({ record: run(step("a", "1")), takesSteps: true });
});

test("the file of an earlier version is taken over, and its run takes steps", async () => {
  const begun = run(step("a", "1"));
  await sqliteStore(file).read(id);
  const database = new DatabaseSync(file);
  database.exec("drop table step; pragma user_version = 1");
  const insert = database.prepare("insert into record (id, kind, state, record) values (?, 'run', 'running', ?)");
  insert.run(id, JSON.stringify(begun));
  database.close();

  const store = sqliteStore(file);
  expect(await store.read(id)).toEqual(begun);
  await store.acquire(id);
  await store.appendStep?.(id, step("b", "2"));
  expect(await store.read(id)).toEqual(run(step("a", "1"), step("b", "2")));
  await store.close?.();
});

test.each([
  ["a step that is no JSON", recordText(run()), '{"name":', "CORRUPT"],
  ["a step that is none", recordText(run()), '{"name":"a"}', "CORRUPT"],
  [
    "a record of another kind in place of the run",
    JSON.stringify({ kind: "run with steps", record: 1 }),
    "",
    "CORRUPT",
  ],
  ["a kind that is not known", JSON.stringify({ kind: "fleet" }), "", "FORMAT"],
])("%s is reported", (_what, text, steps, fault) => {
  expect(parseRecordRow(text, steps)).toEqual({ fault });
});
