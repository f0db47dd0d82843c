import { mkdtemp, readdir, readFile, rm, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileStore, type Lease, memoryStore, type Store } from "@slipway/control";
import { describe, expect, test } from "vitest";
import { runStoreCase, type StoreFixture, type StoreHarness, storeCases } from "../src/stores.ts";

const memory: StoreHarness = { create: async () => ({ store: memoryStore() }) };

/** The name that a store gives to an id's files, by what appears when the id's lease is taken. */
async function leasePathOf(id: string): Promise<string> {
  const path = fileStore("/").whereIs?.(id);
  if (path === undefined) throw new Error("a file store tells where its leases are");
  return path.slice(1);
}

const files: StoreHarness = {
  create: async () => {
    const directory = await mkdtemp(join(tmpdir(), "slipway-stores-"));
    return {
      store: fileStore(directory),
      reopen: () => fileStore(directory),
      abandon: async (id) => {
        // A lease of this machine and boot whose pid was given to another process since.
        await fileStore(directory).acquire(id);
        const path = join(directory, await leasePathOf(id));
        const { holder } = JSON.parse(await readFile(path, "utf8")) as { readonly holder: object };
        const lease = { token: "0".repeat(24), holder: { ...holder, startTime: "1" } };
        await writeFile(path, JSON.stringify(lease));
      },
      corrupt: async (id) => {
        await truncate(join(directory, (await leasePathOf(id)).replace(".lease", ".json")), 40);
      },
      dispose: async () => {
        expect((await readdir(directory)).filter((name) => name.endsWith(".draft"))).toEqual([]);
        await rm(directory, { recursive: true });
      },
    };
  },
};

/** Which needs of a fixture a harness does not meet: such cases must skip, and no others. */
const harnesses: readonly [string, StoreHarness, readonly string[]][] = [
  ["memoryStore", memory, ["reopen", "abandon", "corrupt"]],
  ["fileStore", files, []],
];

describe.each(harnesses)("%s keeps the store contract", (_name, harness, lacks) => {
  test.each(storeCases.map((one) => [one.id, one.title, one] as const))("%s: %s", async (_id, _title, storeCase) => {
    const skip = await runStoreCase(storeCase, harness);
    expect(skip !== undefined).toBe(storeCase.needs !== undefined && lacks.includes(storeCase.needs));
  });
});

/** Stores that are wrong in one way, and the case that must notice it. */
const mutants: readonly [string, string, (fixture: StoreFixture) => StoreFixture][] = [
  ["gives a held lease again", "lease.exclusive", ({ store }) => ({ store: { ...store, acquire: leaseOfNobody } })],
  ["writes without a lease", "lease.needed", () => ({ store: careless() })],
  [
    "releases whoever holds it",
    "lease.release",
    ({ store }) => {
      let held: Lease | null = null;
      const acquire = async (id: string): Promise<Lease | null> => {
        const lease = await store.acquire(id);
        if (lease !== null) held = lease;
        return lease;
      };
      return { store: { ...store, acquire, release: async () => (held === null ? undefined : store.release(held)) } };
    },
  ],
  [
    "leaves an entry out",
    "record.parallel",
    ({ store }) => ({ store: { ...store, entries: async () => (await store.entries()).slice(1) } }),
  ],
  [
    "takes a corrupt record for none",
    "corrupt.told",
    (fixture) => ({
      ...fixture,
      store: { ...fixture.store, read: (id) => fixture.store.read(id).catch(() => null) },
    }),
  ],
  [
    "hands out its own objects",
    "record.copy",
    ({ store }) => {
      const kept = new Map<string, Awaited<ReturnType<Store["read"]>>>();
      return {
        store: {
          ...store,
          write: async (id, record) => void kept.set(id, record),
          read: async (id) => kept.get(id) ?? null,
        },
      };
    },
  ],
  [
    "folds upper and lower case",
    "record.ids",
    ({ store }) => ({
      store: {
        ...store,
        acquire: async (id) => {
          const lease = await store.acquire(id.toLowerCase());
          return lease === null ? null : { ...lease, id };
        },
        read: (id) => store.read(id.toLowerCase()),
        write: (id, record) => store.write(id.toLowerCase(), record),
        release: (lease) => store.release({ ...lease, id: lease.id.toLowerCase() }),
      },
    }),
  ],
];

const leaseOfNobody = async (id: string): Promise<Lease> => ({ id, token: crypto.randomUUID() });
function careless(): Store {
  const records = new Map<string, string>();
  return {
    ...memoryStore(),
    write: async (id, record) => void records.set(id, JSON.stringify(record)),
    read: async (id) => JSON.parse(records.get(id) ?? "null"),
  };
}

test.each(mutants)("a store that %s fails %s", async (_what, id, spoil) => {
  const storeCase = storeCases.find((one) => one.id === id);
  if (storeCase === undefined) throw new Error(`no case ${id}`);
  const create = async (): Promise<StoreFixture> => {
    const fixture = await files.create();
    return { ...fixture, ...spoil(fixture) };
  };
  const spoilt: StoreHarness = { create };
  await expect(runStoreCase(storeCase, spoilt)).rejects.toBeInstanceOf(Error);
});

test("every case has its own id and title", () => {
  expect(new Set(storeCases.map(({ id }) => id)).size).toBe(storeCases.length);
  expect(new Set(storeCases.map(({ title }) => title)).size).toBe(storeCases.length);
});
