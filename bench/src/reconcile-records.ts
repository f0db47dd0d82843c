// Launches a hundred instances of its own in memory beside the records that stand in a store already, reconciles, and prints
// what that took. Usage: reconcile-records <sqlite | postgres> <file or socket>
import { launch, reconcile, sqliteStore } from "@slipway/control";
import { memory, memoryWorld } from "@slipway/provider-memory";
import { postgresStore } from "@slipway/store-postgres";
import pg from "pg";

const [kind = "", place = ""] = process.argv.slice(2);
const pool = new pg.Pool({ host: place, user: "slipway", database: "postgres", max: 2 });
const store = kind === "sqlite" ? sqliteStore(place) : postgresStore(pool);
const world = memoryWorld();
const { clock } = world;
const provider = memory({ owner: "bench", world });
for (let at = 0; at < 100; at += 1)
  await launch(provider, { key: `live-${process.pid}-${at}`, spec: "m1.small" }, { store, clock });

const peakMb = (): number => Math.round(process.resourceUsage().maxRSS / 1024);
const before = peakMb();
const began = performance.now();
const { items } = await reconcile(provider, { store, clock });
const seconds = (performance.now() - began) / 1000;
process.stdout.write(`${JSON.stringify({ seconds, before, peak: peakMb(), items: items.length })}\n`);
await store.close?.();
await pool.end();
