import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { memoryStore, pool } from "@slipway/control";
import { local } from "@slipway/provider-local";
import { expect, test } from "vitest";
import { runController } from "../src/controller.ts";
import { type Database, finalResult, Jobs } from "../src/jobs.ts";

/** The table in memory; the first two calls meet a database that restarts. */
function tableInMemory(): Database & { readonly rows: Map<string, { argv: unknown; result: unknown }> } {
  const rows = new Map<string, { argv: unknown; result: unknown }>();
  let failures = 2;
  return {
    rows,
    query: async ({ text, values = [] }) => {
      const [key, result] = values.map(String);
      if (text.startsWith("insert")) rows.set(key ?? "", { argv: JSON.parse(String(values[2])), result: null });
      else if (text.startsWith("update")) {
        const row = rows.get(key ?? "");
        if (row?.result === null) row.result = JSON.parse(result ?? "null");
      } else if (text.startsWith("select")) {
        if (failures-- > 0) throw new Error("the database system is starting up");
        const open = [...rows].filter((row) => row[1].result === null);
        return { rows: open.slice(0, Number(values[1])).map(([id, { argv }]) => ({ key: id, argv })) };
      }
      return { rows: [] };
    },
  };
}

test("a controller works off what is open, outlives a fault, and leaves no machine", async () => {
  const stateDirectory = await mkdtemp(join(tmpdir(), "slipway-controller-"));
  const provider = local({ owner: "fleet", stateDirectory });
  const store = memoryStore();
  const table = tableInMemory();
  const jobs = new Jobs(table, "local");
  for (const key of ["a", "b", "c", "d"]) await jobs.add({ key, argv: ["/bin/sh", "-c", `echo by ${key}`] });
  const machines = pool(provider, { name: "runners", max: 2, desired: 2, spawn: {} }, { store });
  const notes: string[] = [];
  await runController([{ provider, machines, jobs, store, access: { identityFile: "" } }], {
    ...{ concurrency: 2, pauseMs: 10, signal: new AbortController().signal, drain: AbortSignal.abort() },
    note: (line) => notes.push(line),
  });
  for (const [key, { result }] of table.rows) {
    expect(result).toEqual({ exitCode: 0, stdout: `by ${key}\n`, stderr: "", repeated: false });
  }
  expect(notes.filter((line) => line.includes("starting up")).length).toBe(2);
  expect(await provider.list()).toEqual([]);
  await rm(stateDirectory, { recursive: true, force: true });
}, 60_000);

test("a job that another controller has, or that may run once more, has no result yet", () => {
  const conflict = Object.assign(new Error("of another process"), { code: "CONFLICT" });
  const failed = { key: "a", state: "failed", stored: false } as const;
  expect(finalResult({ ...failed, error: conflict, repeated: false })).toBeNull();
  expect(finalResult({ ...failed, error: new Error("the machine is gone"), repeated: true })).toBeNull();
  expect(finalResult({ ...failed, error: conflict, repeated: true })).toEqual({ error: "Error: of another process" });
});

test("a job whose machine was not given back is asked for again: its result is stored, and the next call gives it back", () => {
  const result = { exitCode: 0, stdout: "", stderr: "" };
  const done = { key: "a", state: "done", result, repeated: false, stored: false } as const;
  const leftover = new Error("the database is gone");
  expect(finalResult(done)).toEqual({ ...result, repeated: false });
  expect(finalResult({ ...done, leftover })).toBeNull();
  // Nothing stored it: asked for again, it would run again.
  expect(finalResult({ ...done, leftover, storeError: leftover })).toEqual({ ...result, repeated: false });
});

test("what the compose file sets is what the program reads", async () => {
  const read = (name: string) => readFile(new URL(`../${name}`, import.meta.url), "utf8");
  const [compose, main] = await Promise.all([read("compose.yaml"), read("src/main.ts")]);
  const names = compose.match(/\b(FLEET_[A-Z_]+|DATABASE_URL)\b/g) ?? [];
  expect(new Set(names).size).toBeGreaterThanOrEqual(3);
  for (const name of names) expect(main).toContain(name);
});
