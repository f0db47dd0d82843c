// The program of the suite's cases with several processes.
import { serveStore } from "@slipway/contract-tests/stores";
import pg from "pg";
import { postgresStore } from "../../src/index.ts";

const [host = "", schema = "", leaseMs = "1000"] = process.argv.slice(2);
const pool = new pg.Pool({ host, user: "slipway", database: "postgres", max: 2 });
pool.on("error", () => undefined);
serveStore(postgresStore(pool, { schema, leaseMs: Number(leaseMs), statementMs: 5000 }));
process.stdin.on("end", () => void pool.end());
