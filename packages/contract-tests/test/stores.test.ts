import { mkdtemp, readdir, readFile, rm, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import {
  fileStore,
  type Lease,
  memoryStore,
  type StepRecord,
  type Store,
  type StoredRecord,
  type StoreEntry,
} from "@slipway/control";
import { describe, expect, test } from "vitest";
import {
  runStoreCase,
  type StoreFixture,
  type StoreHarness,
  type StoreProcess,
  startStoreProcess,
  storeCases,
} from "../src/stores.ts";
import { expiringFixture } from "./expiring-store.ts";

const memory: StoreHarness = { create: async () => ({ store: memoryStore() }) };

/** The name that a store gives to an id's files, by what appears when the id's lease is taken. */
async function leasePathOf(id: string): Promise<string> {
  const path = fileStore("/").whereIs?.(id);
  if (path === undefined) throw new Error("a file store tells where its leases are");
  return path.slice(1);
}

const program = fileURLToPath(new URL("children/serve-file-store.ts", import.meta.url));

const files: StoreHarness = {
  create: async () => {
    const directory = await mkdtemp(join(tmpdir(), "slipway-stores-"));
    const processes: StoreProcess[] = [];
    return {
      store: fileStore(directory),
      reopen: () => fileStore(directory),
      start: async () => {
        const argv = ["--conditions=@slipway/source", "--no-warnings", program, directory];
        const process_ = startStoreProcess(process.execPath, argv);
        processes.push(process_);
        return process_;
      },
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
        for (const one of processes) await one.kill();
        expect((await readdir(directory)).filter((name) => name.endsWith(".draft"))).toEqual([]);
        await rm(directory, { recursive: true });
      },
    };
  },
};

/** Which needs of a fixture a harness does not meet: such cases must skip, and no others. */
const harnesses: readonly [string, StoreHarness, readonly string[]][] = [
  ["memoryStore", memory, ["reopen", "pooled", "start", "abandon", "corrupt", "expiry"]],
  ["fileStore", files, ["pooled", "expiry"]],
  ["a model of lease rows", { create: async () => expiringFixture() }, ["start", "abandon", "corrupt"]],
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
    ({ store }) => ({
      store: {
        ...store,
        entries: async function* (filter) {
          let isFirst = true;
          for await (const entry of store.entries(filter)) {
            if (!isFirst) yield entry;
            isFirst = false;
          }
        },
      },
    }),
  ],
  ["ignores filters", "entries.filter", ({ store }) => ({ store: { ...store, entries: () => store.entries() } })],
  [
    "lists pages by number while others remove and add",
    "entries.alive",
    ({ store }) => ({
      store: {
        ...store,
        entries: async function* (filter) {
          for (let at = 0; ; at += 10) {
            const page: StoreEntry[] = [];
            for await (const entry of store.entries(filter)) page.push(entry);
            yield* page.slice(at, at + 10);
            if (page.length <= at + 10) return;
          }
        },
      },
    }),
  ],
  [
    "hides all records behind one that is corrupt",
    "corrupt.told",
    ({ store }) => ({
      store: {
        ...store,
        entries: async function* (filter) {
          const all: StoreEntry[] = [];
          for await (const entry of store.entries(filter)) all.push(entry);
          yield* all;
        },
      },
    }),
  ],
  [
    "keeps what a process wrote in the process",
    "process.kill",
    ({ store }) => ({ store: { ...store, read: async () => null } }),
  ],
  [
    "takes the lease of a paused process",
    "process.pause",
    ({ store }) => ({ store: { ...store, acquire: leaseOfNobody } }),
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
    "keeps one step of a name",
    "steps.repeated",
    ({ store }) => ({ store: { ...store, ...changedSteps(store, lastOfEachName) } }),
  ],
  [
    "adds every step at the end",
    "steps.added",
    ({ store }) => {
      const added: StepRecord[] = [];
      const appendStep = async (_id: string, step: StepRecord): Promise<void> => void added.push(step);
      return { store: { ...store, appendStep, ...changedSteps(store, (steps) => [...steps, ...added]) } };
    },
  ],
  [
    "adds to a record that was written anew what was added before",
    "steps.replaced",
    ({ store }) => {
      const added: StepRecord[] = [];
      const appendStep = async (id: string, step: StepRecord): Promise<void> => {
        added.push(step);
        await store.appendStep?.(id, step);
      };
      return { store: { ...store, appendStep, ...changedSteps(store, (steps) => [...steps, ...added]) } };
    },
  ],
  [
    "keeps added steps in the process",
    "steps.shared",
    ({ store }) => {
      const added: StepRecord[] = [];
      const appendStep = async (_id: string, step: StepRecord): Promise<void> => void added.push(step);
      return { store: { ...store, appendStep, ...changedSteps(store, (steps) => [...steps, ...added]) } };
    },
  ],
  [
    "adds steps without a lease",
    "steps.needed",
    ({ store }) => ({ store: { ...store, appendStep: addUnasked(store) } }),
  ],
  [
    "lists the steps of a record without those that were added",
    "steps.added",
    ({ store }) => ({
      store: { ...store, entries: changedSteps(store, (steps) => steps.slice(0, 3)).entries },
    }),
  ],
  [
    "forgets the last step of a process that was killed",
    "steps.killed",
    ({ store }) => ({ store: { ...store, ...changedSteps(store, (steps) => steps.slice(0, 20)) } }),
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

/** `read` and `entries` of a store with other steps in the record of each run. */
function changedSteps(
  store: Store,
  change: (steps: readonly StepRecord[]) => readonly StepRecord[],
): Pick<Store, "read" | "entries"> {
  const changed = <R extends StoredRecord | null>(record: R): R =>
    record?.kind === "run" ? { ...record, steps: change(record.steps) } : record;
  return {
    read: async (id) => changed(await store.read(id)),
    entries: async function* (filter) {
      for await (const { id, record } of store.entries(filter)) yield { id, record: changed(record) };
    },
  };
}

function lastOfEachName(steps: readonly StepRecord[]): readonly StepRecord[] {
  return [...new Map(steps.map((step) => [`${step.kind} ${step.name}`, step])).values()];
}

/** Takes a lease for it where it has none. */
function addUnasked(store: Store): (id: string, step: StepRecord) => Promise<void> {
  return async (id, step) => {
    const lease = await store.acquire(id);
    await store.appendStep?.(id, step);
    if (lease !== null) await store.release(lease);
  };
}

const leaseOfNobody = async (id: string): Promise<Lease> => ({
  id,
  token: crypto.randomUUID(),
  signal: new AbortController().signal,
  held: () => true,
});
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

/** Leases that expire wrongly, and the case that must notice it. */
const weaknesses: readonly [string, string, Parameters<typeof expiringFixture>[0]][] = [
  ["renews nothing", "expiring.renewed", { lazy: true }],
  ["tells of the loss too late", "expiring.lost", { late: true }],
  ["writes whoever holds the lease", "expiring.late", { unfenced: true }],
  ["writes under a lease that has expired", "expiring.free", { endless: true }],
  ["brings lost leases back", "expiring.late", { forgiving: true }],
  ["adds steps whoever holds the lease", "expiring.steps", { unfenced: true }],
];

test.each(weaknesses)("a store with expiring leases that %s fails %s", async (_what, id, weak) => {
  const storeCase = storeCases.find((one) => one.id === id);
  if (storeCase === undefined) throw new Error(`no case ${id}`);
  await expect(runStoreCase(storeCase, { create: async () => expiringFixture(weak) })).rejects.toBeInstanceOf(Error);
});

test("a pooler that lets six have one lease is noticed", async () => {
  const storeCase = storeCases.find(({ id }) => id === "shared.pooled");
  if (storeCase === undefined) throw new Error("no such case");
  const { store } = expiringFixture();
  const pooled = (): Store => ({ ...store, acquire: leaseOfNobody });
  await expect(runStoreCase(storeCase, { create: async () => ({ store, pooled }) })).rejects.toThrow("round 1");
});

test("a store whose leases expire must say how", async () => {
  const { expiry: _expiry, ...fixture } = expiringFixture();
  const cases = storeCases.filter(({ needs }) => needs === "expiry");
  expect(cases.length).toBeGreaterThan(2);
  for (const one of cases) await expect(runStoreCase(one, { create: async () => fixture })).rejects.toThrow("expiry");
});

test("every case has its own id and title", () => {
  expect(new Set(storeCases.map(({ id }) => id)).size).toBe(storeCases.length);
  expect(new Set(storeCases.map(({ title }) => title)).size).toBe(storeCases.length);
});
