import assert from "node:assert/strict";
import { isStoreError, type LaunchRecord, launchId, type RunRecord, runRecordId, type Store } from "@slipway/control";

/** A store over fresh, empty storage, and what a case may do to that storage. What is absent skips the cases that need it. */
export interface StoreFixture {
  readonly store: Store;
  /** Another store object over the same storage, as another process would make it. */
  readonly reopen?: () => Store | Promise<Store>;
  /** Leaves a lease behind whose holder has died. */
  readonly abandon?: (id: string) => Promise<void>;
  /** Spoils the stored record of an id, as a fault of the disk would. */
  readonly corrupt?: (id: string) => Promise<void>;
  /** Removes the storage. */
  readonly dispose?: () => Promise<void>;
}

export interface StoreHarness {
  readonly create: () => Promise<StoreFixture>;
}

type Need = "reopen" | "abandon" | "corrupt";

/** One promise of the store contract, as data: any test runner can run it. */
export interface StoreCase {
  /** Unique, as `lease.exclusive`. */
  readonly id: string;
  readonly title: string;
  /** What of the fixture it needs. */
  readonly needs?: Need;
  /** Throws where the store breaks the promise. */
  readonly run: (fixture: Required<StoreFixture>) => Promise<void>;
}

/** Why a case did not run. */
export interface StoreCaseSkip {
  readonly skipped: string;
}

/** Runs one case over fresh storage; throws if it fails, answers why if it cannot be run. */
export async function runStoreCase(storeCase: StoreCase, harness: StoreHarness): Promise<StoreCaseSkip | undefined> {
  const fixture = await harness.create();
  try {
    if (storeCase.needs !== undefined && fixture[storeCase.needs] === undefined) {
      return { skipped: `the fixture has no ${storeCase.needs}` };
    }
    const absent = async (): Promise<never> => {
      throw new Error(`${storeCase.id} uses what it does not name in needs`);
    };
    await storeCase.run({ reopen: absent, abandon: absent, corrupt: absent, dispose: absent, ...fixture });
    return undefined;
  } finally {
    await fixture.dispose?.();
  }
}

function launchRecord(key: string, more: Partial<LaunchRecord> = {}): LaunchRecord {
  return {
    kind: "launch",
    identity: { provider: "p", account: "", owner: "o", key },
    state: "launched",
    specHash: "sha256:0",
    attempt: 1,
    at: "2026-01-01T00:00:00.000Z",
    placement: 0,
    instanceId: `i-${key}`,
    expected: {},
    gone: [],
    ...more,
  };
}

function runRecord(runId: string): RunRecord {
  const step = { name: "a", kind: "step", state: "done", undoable: true, outcome: "done", result: [1, null] } as const;
  const base = { kind: "run", runId, type: "t", version: 1, state: "running", input: { n: 1 } } as const;
  return { ...base, startedAt: "2026-01-01T00:00:00.000Z", steps: [step] };
}

const idOf = (key: string): string => launchId({ provider: "p", account: "", owner: "o", key });
const A = idOf("a");
const B = idOf("b");

async function put(store: Store, id: string, record: LaunchRecord | RunRecord): Promise<void> {
  const lease = await store.acquire(id);
  assert.ok(lease, `the lease of ${id} was free and was not given`);
  await store.write(id, record);
  await store.release(lease);
}

async function refuses(work: () => Promise<unknown>, code: "NOT_HELD" | "CORRUPT"): Promise<void> {
  await assert.rejects(work, (error: unknown) => {
    assert.ok(isStoreError(error, code), `expected a StoreError with ${code}, got ${String(error)}`);
    assert.ok(error.hint.length > 0, "the error has no hint");
    return true;
  });
}

const countOf = (leases: readonly unknown[]): number => leases.filter((lease) => lease !== null).length;

/** All promises of the store contract. */
export const storeCases: readonly StoreCase[] = [
  {
    id: "record.absent",
    title: "an id that was never written reads as null, and there are no entries",
    run: async ({ store }) => {
      assert.equal(await store.read(A), null);
      assert.deepEqual(await store.entries(), []);
    },
  },
  {
    id: "record.round-trip",
    title: "records of launches and of runs come back as they were written, whatever texts they hold",
    run: async ({ store }) => {
      const hostile = "quotes \" ' ` $() \\ \n \u0000 \u{1f6a2} \u2028 </script>";
      const request = { key: "a", labels: { [hostile]: hostile }, nested: { list: [1, 2.5, false, null] } };
      const launched = launchRecord("a", { state: "intended", request, gone: [hostile] });
      await put(store, A, launched);
      await put(store, runRecordId(hostile), runRecord(hostile));
      assert.deepEqual(await store.read(A), JSON.parse(JSON.stringify(launched)));
      assert.deepEqual(await store.read(runRecordId(hostile)), runRecord(hostile));
    },
  },
  {
    id: "record.last-write",
    title: "the last write is what is read, also when it is much shorter",
    run: async ({ store }) => {
      await put(store, A, launchRecord("a", { gone: Array.from({ length: 2000 }, (_value, index) => `i-${index}`) }));
      await put(store, A, launchRecord("a", { attempt: 2 }));
      assert.deepEqual(await store.read(A), launchRecord("a", { attempt: 2 }));
    },
  },
  {
    id: "record.copy",
    title: "changing what was written or read does not change the record",
    run: async ({ store }) => {
      const gone = ["one"];
      await put(store, A, launchRecord("a", { gone }));
      gone.push("two");
      const read = await store.read(A);
      if (read?.kind === "launch") Reflect.set(read, "attempt", 99);
      assert.deepEqual(await store.read(A), launchRecord("a", { gone: ["one"] }));
    },
  },
  {
    id: "record.ids",
    title: "ids that differ in any character are different records",
    run: async ({ store }) => {
      const keys = ["a", "A", "a ", "a/b", "a%2Fb", "../a", "a.json", "a:b", "CON", ".", "x".repeat(128)];
      for (const key of keys) await put(store, idOf(key), launchRecord(key));
      for (const key of keys) assert.deepEqual(await store.read(idOf(key)), launchRecord(key));
      assert.equal((await store.entries()).length, keys.length);
    },
  },
  {
    id: "record.parallel",
    title: "writes to many ids at once are all kept",
    run: async ({ store }) => {
      const keys = Array.from({ length: 30 }, (_value, index) => `key ${index}`);
      await Promise.all(keys.map((key) => put(store, idOf(key), launchRecord(key))));
      const kept = await store.entries();
      assert.deepEqual(new Set(kept.map(({ id }) => id)), new Set(keys.map(idOf)));
      for (const { id, record } of kept) assert.deepEqual(await store.read(id), record);
    },
  },
  {
    id: "record.remove",
    title: "a removed record is gone from read and entries, and its lease is still held",
    run: async ({ store }) => {
      await put(store, A, launchRecord("a"));
      await put(store, B, launchRecord("b"));
      assert.ok(await store.acquire(A));
      await store.remove(A);
      assert.equal(await store.read(A), null);
      assert.deepEqual(
        (await store.entries()).map(({ id }) => id),
        [B],
      );
      assert.equal(await store.acquire(A), null);
      // Nothing to remove is no failure.
      await store.remove(A);
    },
  },
  {
    id: "lease.exclusive",
    title: "a lease that is held is not given again, and holds only its own id",
    run: async ({ store }) => {
      const lease = await store.acquire(A);
      assert.equal(lease?.id, A);
      assert.equal(await store.acquire(A), null);
      assert.ok(await store.acquire(B));
    },
  },
  {
    id: "lease.concurrent",
    title: "of twenty who ask at once exactly one gets the lease, round after round",
    run: async ({ store }) => {
      for (let round = 0; round < 5; round += 1) {
        const leases = await Promise.all(Array.from({ length: 20 }, () => store.acquire(A)));
        assert.equal(countOf(leases), 1);
        for (const lease of leases) if (lease !== null) await store.release(lease);
      }
    },
  },
  {
    id: "lease.release",
    title: "a released lease is free; releasing it again frees nobody else's",
    run: async ({ store }) => {
      const first = await store.acquire(A);
      assert.ok(first);
      await store.release(first);
      const second = await store.acquire(A);
      assert.ok(second);
      assert.notEqual(second.token, first.token);
      await store.release(first);
      assert.equal(await store.acquire(A), null);
      await store.write(A, launchRecord("a"));
    },
  },
  {
    id: "lease.needed",
    title: "writing and removing without the lease, or after its release, is NOT_HELD and changes nothing",
    run: async ({ store }) => {
      await refuses(() => store.write(A, launchRecord("a")), "NOT_HELD");
      assert.equal(await store.read(A), null);
      await put(store, A, launchRecord("a"));
      await refuses(() => store.write(A, launchRecord("a", { attempt: 2 })), "NOT_HELD");
      await refuses(() => store.remove(A), "NOT_HELD");
      assert.deepEqual(await store.read(A), launchRecord("a"));
    },
  },
  {
    id: "shared.records",
    title: "another store object over the same storage reads every record",
    needs: "reopen",
    run: async ({ store, reopen }) => {
      await put(store, A, launchRecord("a"));
      const other = await reopen();
      assert.deepEqual(await other.read(A), launchRecord("a"));
      await put(other, B, launchRecord("b"));
      assert.deepEqual(new Set((await store.entries()).map(({ id }) => id)), new Set([A, B]));
    },
  },
  {
    id: "shared.lease",
    title: "a lease excludes every other store object, which can neither write nor release it",
    needs: "reopen",
    run: async ({ store, reopen }) => {
      const other = await reopen();
      const lease = await store.acquire(A);
      assert.ok(lease);
      assert.equal(await other.acquire(A), null);
      await refuses(() => other.write(A, launchRecord("a")), "NOT_HELD");
      await other.release({ id: A, token: "somebody else's" });
      assert.equal(await other.acquire(A), null);
      await store.release(lease);
      assert.ok(await other.acquire(A));
    },
  },
  {
    id: "dead.takeover",
    title: "the lease of a dead holder goes to exactly one of many contenders, and its record is whole",
    needs: "abandon",
    run: async ({ store, reopen, abandon }) => {
      await put(store, A, launchRecord("a"));
      await abandon(A);
      const contenders = await Promise.all(Array.from({ length: 12 }, async () => reopen()));
      const leases = await Promise.all(contenders.map((contender) => contender.acquire(A)));
      assert.equal(countOf(leases), 1);
      const winner = leases.findIndex((lease) => lease !== null);
      assert.deepEqual(await contenders[winner]?.read(A), launchRecord("a"));
      await contenders[winner]?.write(A, launchRecord("a", { attempt: 2 }));
      assert.deepEqual(await store.read(A), launchRecord("a", { attempt: 2 }));
    },
  },
  {
    id: "corrupt.told",
    title: "a record that cannot be read is CORRUPT, for read and for entries, never nothing",
    needs: "corrupt",
    run: async ({ store, corrupt }) => {
      await put(store, A, launchRecord("a"));
      await put(store, B, launchRecord("b"));
      await corrupt(A);
      await refuses(() => store.read(A), "CORRUPT");
      await refuses(() => store.entries(), "CORRUPT");
      assert.deepEqual(await store.read(B), launchRecord("b"));
      await refuses(() => store.read(A), "CORRUPT");
    },
  },
];
