// Launches a hundred instances of its own in memory beside the records that stand in a store already, reconciles, and prints
// what that took. Usage: reconcile-records <files | sqlite | postgres> <directory, file or socket> <records>, with --expose-gc
import { fileStore, launch, reconcile, type Store, sqliteStore } from "@slipway/control";
import { memory, memoryWorld } from "@slipway/provider-memory";
import { postgresStore } from "@slipway/store-postgres";
import pg from "pg";

const LIVE = 100;
const LOOKS = 10;

const [kind = "", place = "", records = "0"] = process.argv.slice(2);
const pool = new pg.Pool({ host: place, user: "slipway", database: "postgres", max: 2 });

function open(): Store {
  if (kind === "files") return fileStore(place);
  return kind === "sqlite" ? sqliteStore(place) : postgresStore(pool);
}

const store = open();
const world = memoryWorld();
const { clock } = world;
const provider = memory({ owner: "bench", world });
for (let at = 0; at < LIVE; at += 1)
  await launch(provider, { key: `live-${process.pid}-${at}`, spec: "m1.small" }, { store, clock });

const peakMb = (): number => Math.round(process.resourceUsage().maxRSS / 1024);
/** What is really kept: garbage comes and goes as the engine likes. */
const heapMb = (): number => {
  globalThis.gc?.();
  return process.memoryUsage().heapUsed / 1e6;
};

let seen = 0;
const heaps: number[] = [];
const watched: Store = {
  ...store,
  entries: async function* (filter) {
    for await (const entry of store.entries(filter)) {
      if (seen % Math.ceil(Number(records) / LOOKS) === 0) heaps.push(heapMb());
      seen += 1;
      yield entry;
    }
  },
};
const before = peakMb();
const began = performance.now();
const { items } = await reconcile(provider, { store: watched, clock });
const seconds = (performance.now() - began) / 1000;
process.stdout.write(`${JSON.stringify({ seconds, before, peak: peakMb(), heaps, seen, items: items.length })}\n`);
await store.close?.();
await pool.end();
