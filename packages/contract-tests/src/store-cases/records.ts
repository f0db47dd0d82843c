import assert from "node:assert/strict";
import {
  allEntries,
  type EntryFilter,
  launchId,
  matchesFilter,
  recordId,
  runRecordId,
  type StoreEntry,
} from "@slipway/control";
import { A, B, idOf, idsIn, launchRecord, put, refuses, runRecord, type StoreCase } from "./fixture.ts";

/** What records and their listing promise. */
export const recordCases: readonly StoreCase[] = [
  {
    id: "record.absent",
    title: "an id that was never written reads as null, and there are no entries",
    run: async ({ store }) => {
      assert.equal(await store.read(A), null);
      assert.deepEqual(await allEntries(store), []);
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
      assert.equal((await allEntries(store)).length, keys.length);
    },
  },
  {
    id: "record.parallel",
    title: "writes to many ids at once are all kept",
    run: async ({ store }) => {
      const keys = Array.from({ length: 30 }, (_value, index) => `key ${index}`);
      await Promise.all(keys.map((key) => put(store, idOf(key), launchRecord(key))));
      const kept = await allEntries(store);
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
      assert.deepEqual(await idsIn(store), [B]);
      assert.equal(await store.acquire(A), null);
      // Nothing to remove is no failure.
      await store.remove(A);
    },
  },
  {
    id: "entries.filter",
    title: "entries with a filter are the entries that the filter wants, whatever it names",
    run: async ({ store }) => {
      const at = "2026-01-01T00:00:00.000Z";
      for (const key of ["a", "b", "c"]) {
        const state = key === "a" ? "refused" : key === "b" ? "ended" : "launched";
        for (const [provider, owner] of [
          ["p", "o"],
          ["q", "o"],
          ["p", "%"],
        ] as const) {
          const identity = { provider, account: key === "c" ? "two" : "", owner, key };
          await put(store, launchId(identity), { ...launchRecord(key), identity, state });
        }
      }
      await put(store, runRecordId("r"), runRecord("r"));
      for (const kind of ["report", "pool", "anywhere", "idle", "spread", "budget"] as const) {
        await put(store, recordId(kind, "o", "a"), {
          kind,
          name: "a",
          owner: "o",
          state: "launched",
          at,
          data: [kind],
        });
        const place = { provider: "p", account: "two" };
        await put(store, recordId(kind, "o", "b"), {
          kind,
          name: "b",
          owner: "o",
          ...place,
          state: "x",
          at,
          data: null,
        });
      }
      const all = await allEntries(store);
      assert.equal(all.length, 22);
      const filters: readonly EntryFilter[] = [
        ...(["launch", "run", "report", "pool", "anywhere", "idle", "spread", "budget"] as const).map((kind) => ({
          kind,
        })),
        { provider: "p" },
        { account: "" },
        { account: "two", owner: "o" },
        { owner: "%" },
        { owner: "_" },
        { states: ["launched", "running"] },
        { states: [] },
        { kind: "launch", provider: "p", account: "", owner: "o", states: ["launched", "ended"] },
        { kind: "run", owner: "o" },
      ];
      const sorted = (entries: readonly StoreEntry[]): readonly StoreEntry[] =>
        entries.toSorted((one, other) => one.id.localeCompare(other.id));
      for (const filter of filters) {
        const wanted = sorted(all.filter(({ record }) => matchesFilter(record, filter)));
        assert.deepEqual(sorted(await allEntries(store, filter)), wanted, JSON.stringify(filter));
      }
    },
  },
  {
    id: "entries.alive",
    title: "entries are complete while others write: each that stands there all the time comes once",
    run: async ({ store }) => {
      const keys = Array.from({ length: 60 }, (_value, index) => `key ${index}`);
      for (const key of keys) await put(store, idOf(key), launchRecord(key));
      const lease = await store.acquire(idOf("key 0"));
      assert.ok(lease);
      await store.remove(idOf("key 0"));
      await store.release(lease);
      const seen: string[] = [];
      for await (const { id } of store.entries()) {
        const at = seen.push(id);
        if (at > 20) continue;
        await put(store, idOf(`new ${at}`), launchRecord(`new ${at}`));
        await put(store, idOf(`key ${60 - at}`), launchRecord(`key ${60 - at}`, { attempt: 2 }));
        await put(store, id, launchRecord("a", { attempt: 3 }));
      }
      assert.equal(new Set(seen).size, seen.length, "an entry came twice");
      const old = new Set(keys.slice(1).map(idOf));
      assert.deepEqual(new Set(seen.filter((id) => old.has(id) || id === idOf("key 0"))), old);
      // Left before its end, it holds nothing that others need.
      for await (const entry of store.entries()) {
        await put(store, entry.id, entry.record);
        break;
      }
    },
  },
  {
    id: "corrupt.told",
    title: "a record that cannot be read is CORRUPT, for read and at the end of entries, never nothing",
    needs: "corrupt",
    run: async ({ store, corrupt }) => {
      await put(store, A, launchRecord("a"));
      await put(store, B, launchRecord("b"));
      await corrupt(A);
      await refuses(() => store.read(A), "CORRUPT");
      const seen: string[] = [];
      const look = async (): Promise<void> => {
        for await (const { id } of store.entries()) seen.push(id);
      };
      await refuses(look, "CORRUPT");
      assert.deepEqual(seen, [B], "what cannot be read hides what can");
      assert.deepEqual(await store.read(B), launchRecord("b"));
      await refuses(() => store.read(A), "CORRUPT");
    },
  },
];
