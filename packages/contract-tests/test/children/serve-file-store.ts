// Works with a directory as it is told on its standard input, until it is killed.
import { fileStore } from "@slipway/control";
import { serveStore } from "../../src/stores.ts";

serveStore(fileStore(process.argv[2] ?? ""));
