import { isStoreError, type StepRecord } from "@slipway/control";
import pg from "pg";
import { expect, test } from "vitest";
import { type PostgresPool, postgresStore, SCHEMA_VERSION } from "../src/index.ts";
import { answersOf, quoted } from "../src/pool.ts";

const failing = (fields: object): PostgresPool => ({
  query: async () => {
    throw Object.assign(new Error("it says"), fields);
  },
});

test.each([
  [{ code: "ECONNREFUSED" }, "UNAVAILABLE"],
  [{ code: "57P01" }, "UNAVAILABLE"],
  [{ code: "57P03" }, "UNAVAILABLE"],
  [{ code: "08P01" }, "UNAVAILABLE"],
  [{ code: "40001" }, "UNAVAILABLE"],
  [{ message: "Connection terminated unexpectedly" }, "UNAVAILABLE"],
  [{ message: "timeout exceeded when trying to connect" }, "UNAVAILABLE"],
  [{ code: "53100" }, "FULL"],
  [{ code: "25006" }, "READ_ONLY"],
  [{ code: "28P01" }, "NO_ACCESS"],
  [{ code: "42501" }, "NO_ACCESS"],
  [{ code: "42P01" }, "UNUSABLE"],
  [{ code: "22021" }, "IO"],
])("%j is %s", async (fields, code) => {
  const error: unknown = await answersOf(failing(fields))("select 1").catch((failure: unknown) => failure);
  expect(isStoreError(error) ? [error.code, error.hint.length > 0] : error).toEqual([code, true]);
});

test("a server that never answers is UNAVAILABLE within the statement's time", async () => {
  const silent: PostgresPool = { query: () => new Promise(() => undefined) };
  const store = postgresStore(silent, { statementMs: 10 });
  await expect(store.read("a")).rejects.toMatchObject({ code: "UNAVAILABLE", retryable: true });
});

test("no statement has a name, and the pool of pg fits", async () => {
  const queries: object[] = [];
  const pool: PostgresPool = {
    query: async (query) => {
      queries.push(query);
      return { rows: [{ there: true, version: SCHEMA_VERSION }] };
    },
  };
  await postgresStore(pool).acquire("a");
  expect(queries.length).toBe(3);
  for (const query of queries)
    expect(Object.keys(query).filter((name) => !["text", "values"].includes(name))).toEqual([]);
  const real: PostgresPool = new pg.Pool();
  expect(typeof real.query).toBe("function");
});

test("only giving a lease back waits for no flush: what a crash undoes of that is over with the lease's time", async () => {
  const texts: string[] = [];
  const pool: PostgresPool = {
    query: async ({ text }) => {
      texts.push(text);
      return { rows: [{ there: true, version: SCHEMA_VERSION, id: "a" }] };
    },
  };
  const store = postgresStore(pool);
  const lease = await store.acquire("a");
  if (lease === null) throw new Error("held");
  const at = "2026-01-01T00:00:00.000Z";
  await store.write("a", { kind: "report", name: "n", owner: "o", state: "x", at, data: null });
  await store.remove("a");
  await store.release(lease);
  const unflushed = texts.filter((text) => text.includes("synchronous_commit"));
  expect(unflushed).toEqual([texts.at(-1)]);
  // For this statement's transaction alone: the session is another client's afterwards.
  expect(unflushed[0]).toContain("set_config('synchronous_commit', 'off', true)");
});

test("a schema's name may hold anything", () => {
  expect(quoted('a"; drop table b; --')).toBe('"a""; drop table b; --"');
});

test("a step that is added is one statement, as long as the step", async () => {
  const sent: { readonly text: string; readonly bytes: number }[] = [];
  const counting: PostgresPool = {
    query: async ({ text, values = [] }) => {
      sent.push({ text, bytes: JSON.stringify(values).length });
      return { rows: [{ there: true, version: SCHEMA_VERSION, id: "run:r" }] };
    },
  };
  const store = postgresStore(counting);
  const step = (name: string, result: string): StepRecord => ({
    ...{ name, kind: "step", state: "done", undoable: false, result },
  });
  await store.acquire("run:r");
  const steps = [step("large", "x".repeat(1_000_000))];
  const base = { kind: "run", runId: "r", type: "t", version: 1, state: "running", input: null } as const;
  await store.write("run:r", { ...base, startedAt: "2026-01-01T00:00:00Z", steps });
  sent.length = 0;
  for (let at = 0; at < 10; at += 1) await store.appendStep?.("run:r", step(`s${at}`, "x".repeat(100)));
  expect(sent.length).toBe(10);
  for (const { bytes } of sent) expect(bytes).toBeLessThan(400);
  await store.close?.();
});
