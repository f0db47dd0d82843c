import { mkdtemp, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { fileURLToPath } from "node:url";
import { type Store, sqliteStore } from "@slipway/control";
import { expect, test } from "vitest";
import { runStoreCase, type StoreHarness, type StoreProcess, startStoreProcess, storeCases } from "../src/stores.ts";

const program = fileURLToPath(new URL("children/serve-sqlite-store.ts", import.meta.url));

/** Changes the file as nobody should. */
function spoil(file: string, sql: string, ...values: readonly string[]): void {
  const database = new DatabaseSync(file);
  database.prepare(sql).run(...values);
  database.close();
}

const sqlite: StoreHarness = {
  create: async () => {
    const directory = await mkdtemp(join(tmpdir(), "slipway-sqlite-"));
    const file = join(directory, "store.db");
    const processes: StoreProcess[] = [];
    const stores: Store[] = [];
    const open = (): Store => {
      const store = sqliteStore(file);
      stores.push(store);
      return store;
    };
    return {
      store: open(),
      reopen: open,
      start: async () => {
        // With warnings: what this store prints on its first use would be seen.
        const one = startStoreProcess(process.execPath, ["--conditions=@slipway/source", program, file]);
        processes.push(one);
        return one;
      },
      abandon: async (id) => {
        // A lease of this machine and boot whose pid was given to another process since.
        await open().acquire(id);
        spoil(file, "update lease set token = 'x', holder = json_set(holder, '$.startTime', '1') where id = ?", id);
      },
      corrupt: async (id) => spoil(file, "update record set record = substr(record, 1, 40) where id = ?", id),
      dispose: async () => {
        for (const one of processes) await one.kill();
        for (const store of stores) await store.close?.();
        for (const name of ["store.db", "store.db-wal"]) {
          const status = await stat(join(directory, name)).catch(() => null);
          if (status !== null) expect(status.mode & 0o77, name).toBe(0);
        }
        await rm(directory, { recursive: true });
      },
    };
  },
};

test.each(storeCases.map((one) => [one.id, one.title, one] as const))(
  "sqliteStore keeps %s: %s",
  async (_id, _title, storeCase) => {
    const skip = await runStoreCase(storeCase, sqlite);
    expect(skip !== undefined).toBe(storeCase.needs === "expiry" || storeCase.needs === "pooled");
  },
);
