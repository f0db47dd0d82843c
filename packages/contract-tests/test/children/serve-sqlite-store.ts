// The program of the suite's cases with several processes.
import { sqliteStore } from "@slipway/control";
import { serveStore } from "../../src/stores.ts";

serveStore(sqliteStore(process.argv[2] ?? ""));
