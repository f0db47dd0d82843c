// One process of bench/src/stores.ts: waits for a line, launches so many keys, four at a time, on a remote in its memory, and
// prints how long each took. Usage: store-launches files|sqlite|postgres <place> <prefix> <keys>
import { once } from "node:events";
import { fileStore, launch, type Store, sqliteStore } from "@slipway/control";
import { memory, memoryWorld } from "@slipway/provider-memory";
import { postgresStore } from "@slipway/store-postgres";
import pg from "pg";

const [kind = "", place = "", prefix = "", count = "0"] = process.argv.slice(2);
const AT_ONCE = 4;

function open(): Store {
  if (kind === "files") return fileStore(place);
  if (kind === "sqlite") return sqliteStore(place);
  const pool = new pg.Pool({ host: place, user: "slipway", database: "postgres", max: AT_ONCE });
  return postgresStore(pool);
}

const world = memoryWorld();
const provider = memory({ owner: "bench", world });
const store = open();
await store.read("nothing");
process.stdout.write("ready\n");
await once(process.stdin, "data");

const keys = Array.from({ length: Number(count) }, (_value, index) => `${prefix}-${index}`);
const times: number[] = [];
const began = performance.timeOrigin + performance.now();
await Promise.all(
  Array.from({ length: AT_ONCE }, async () => {
    for (let key = keys.pop(); key !== undefined; key = keys.pop()) {
      const at = performance.now();
      await launch(provider, { key, spec: "m1.small" }, { store, clock: world.clock });
      times.push(performance.now() - at);
    }
  }),
);
process.stdout.write(`${JSON.stringify({ began, ended: performance.timeOrigin + performance.now(), times })}\n`);
process.exit(0);
