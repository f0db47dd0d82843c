import { setTimeout as pause } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import {
  runStoreCase,
  type StoreHarness,
  type StoreProcess,
  startStoreProcess,
  storeCases,
} from "@slipway/contract-tests/stores";
import type { Store } from "@slipway/control";
import type pg from "pg";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import {
  applyMigrations,
  checkDatabase,
  checkSchema,
  migrationsFor,
  type PostgresPool,
  postgresStore,
} from "../src/index.ts";
import { missingServer, type PostgresServer, startPostgres } from "./server/postgres-server.ts";

const missing = missingServer();
const program = fileURLToPath(new URL("children/serve-postgres-store.ts", import.meta.url));
// Short, since the cases wait for it; long enough for a machine that is busy with other things.
const LEASE_MS = 1500;

let server: PostgresServer;
let pool: pg.Pool;
let schemas = 0;

beforeAll(async () => {
  if (missing !== null) return;
  server = await startPostgres();
  pool = server.pool();
});
afterAll(async () => {
  await server?.stop();
});

/** A pool that can be cut off from the server without a notice. */
function cuttable(inner: PostgresPool): PostgresPool & { isCut: boolean } {
  const cut = {
    isCut: false,
    query: async (query: { text: string; values?: unknown[] }) => {
      if (cut.isCut) throw Object.assign(new Error("cut off"), { code: "ECONNRESET" });
      return inner.query(query);
    },
  };
  return cut;
}

const harnessOver = (direct: () => string, isPooled: boolean): StoreHarness => ({
  create: async () => {
    schemas += 1;
    const schema = `suite "${schemas}"`;
    await applyMigrations(pool, { schema });
    const own = cuttable(isPooled ? server.pool(server.pooled) : pool);
    const stores: Store[] = [];
    const processes: StoreProcess[] = [];
    const open = (over: PostgresPool): Store => {
      const store = postgresStore(over, { schema, leaseMs: LEASE_MS, statementMs: 5000 });
      stores.push(store);
      return store;
    };
    const pass = async (ms: number): Promise<void> => {
      await pause(ms);
    };
    return {
      store: open(own),
      reopen: () => open(pool),
      pooled: () => open(server.pool(server.pooled)),
      start: async () => {
        const args = ["--conditions=@slipway/source", "--no-warnings", program, direct(), schema, String(LEASE_MS)];
        const one = startStoreProcess(process.execPath, args);
        processes.push(one);
        return one;
      },
      abandon: async (id) => {
        const store = open(pool);
        await store.acquire(id);
        await store.close?.();
        await pass(1.1 * LEASE_MS);
      },
      corrupt: async (id) => {
        await pool.query({ text: `update "suite ""${schemas}""".record set record = '{' where id = $1`, values: [id] });
      },
      expiry: {
        ms: LEASE_MS,
        pass,
        cutOff: async () => {
          own.isCut = true;
        },
        reconnect: async () => {
          own.isCut = false;
        },
      },
      dispose: async () => {
        for (const one of processes) await one.kill();
        for (const store of stores) await store.close?.();
      },
    };
  },
});

describe.skipIf(missing !== null).each([
  ["direct", harnessOver(() => server.socket, false)],
  ["behind pgbouncer", harnessOver(() => server.pooled, true)],
] as const)("%s", (_name, harness) => {
  test.each(storeCases.map((one) => [one.id, one.title, one] as const))("%s: %s", async (_id, _title, storeCase) => {
    expect(await runStoreCase(storeCase, harness)).toBeUndefined();
  });
});

describe.skipIf(missing !== null)("the schema", () => {
  test("is missing, then current; several who apply it at once all succeed; it is plain SQL", async () => {
    const schema = "several";
    expect(await checkSchema(pool, { schema })).toMatchObject({ state: "missing", version: 0 });
    await expect(postgresStore(pool, { schema }).read("a")).rejects.toMatchObject({ code: "UNUSABLE" });
    await Promise.all(Array.from({ length: 6 }, () => applyMigrations(pool, { schema })));
    expect(await checkSchema(pool, { schema })).toMatchObject({ state: "current" });
    expect(await applyMigrations(pool, { schema })).toEqual([]);
    const url = `postgres://slipway@/postgres?host=${encodeURIComponent(server.socket)}`;
    expect(await checkDatabase(url, { schema })).toMatchObject({ state: "current" });
    for (const { sql } of migrationsFor("by hand")) await pool.query(sql);
    expect(await checkSchema(pool, { schema: "by hand" })).toMatchObject({ state: "current" });
  });

  test("of an earlier version is brought up to date, and a run of it takes steps", async () => {
    const schema = "earlier";
    const [first] = migrationsFor(schema);
    await pool.query(first?.sql ?? "");
    expect(await checkSchema(pool, { schema })).toMatchObject({ state: "outdated", version: 1 });
    const begun = { kind: "run", runId: "r", type: "t", version: 1, state: "running", input: null, steps: [] } as const;
    const record = { ...begun, startedAt: "2026-01-01T00:00:00Z" };
    const text = `insert into ${schema}.record (id, kind, state, record) values ('run:r', 'run', 'running', $1)`;
    await pool.query({ text, values: [JSON.stringify(record)] });
    expect(await applyMigrations(pool, { schema })).toEqual([2]);
    const store = postgresStore(pool, { schema });
    expect(await store.read("run:r")).toEqual(record);
    await store.acquire("run:r");
    const step = { name: "a", kind: "step", state: "done", undoable: false } as const;
    await store.appendStep?.("run:r", step);
    expect(await store.read("run:r")).toEqual({ ...record, steps: [step] });
    await store.close?.();
  });

  test("of a newer version is FORMAT, and nothing is written", async () => {
    const schema = "newer";
    await applyMigrations(pool, { schema });
    await pool.query(`insert into ${schema}.migration (version) values (99)`);
    await expect(postgresStore(pool, { schema }).acquire("a")).rejects.toMatchObject({ code: "FORMAT" });
    expect(await checkSchema(pool, { schema })).toMatchObject({ state: "newer", version: 99 });
  });

  test("a user without rights gets NO_ACCESS, a server that only reads READ_ONLY", async () => {
    const schema = "rights";
    await applyMigrations(pool, { schema });
    await pool.query("create role nobody_here");
    const client = await pool.connect();
    try {
      const store = postgresStore(client, { schema });
      await client.query("set default_transaction_read_only = on");
      await expect(store.acquire("a")).rejects.toMatchObject({ code: "READ_ONLY" });
      await client.query("set default_transaction_read_only = off");
      await client.query("set role nobody_here");
      await expect(store.acquire("a")).rejects.toMatchObject({ code: "NO_ACCESS" });
    } finally {
      client.release(true);
    }
  });

  test("a restart is UNAVAILABLE to whoever asks meanwhile, and no lease is lost by it", async () => {
    const schema = "restart";
    await applyMigrations(pool, { schema });
    const own = server.pool();
    const store = postgresStore(own, { schema, leaseMs: 30_000 });
    const lease = await store.acquire("a");
    expect(lease?.held()).toBe(true);
    const asking = (async (): Promise<ReadonlySet<unknown>> => {
      const codes = new Set<unknown>();
      for (let round = 0; round < 200; round += 1) {
        await store.read("a").catch((error: unknown) => codes.add(Reflect.get(Object(error), "code")));
        await pause(5);
      }
      return codes;
    })();
    await server.restart();
    expect([...(await asking)].filter((code) => code !== "UNAVAILABLE")).toEqual([]);
    expect(lease?.held()).toBe(true);
    expect(await postgresStore(pool, { schema }).acquire("a")).toBeNull();
    const at = "2026-01-01T00:00:00.000Z";
    await store.write("a", { kind: "report", name: "n", owner: "o", state: "x", at, data: null });
    await store.close?.();
  });
});
