// Takes and gives back one lease, as it is told on its standard input.
import { createInterface } from "node:readline";
import { fileStore, type Lease } from "../../src/index.ts";

const store = fileStore(process.argv[2] ?? "");
let lease: Lease | null = null;
createInterface({ input: process.stdin }).on("line", async (line) => {
  if (line === "acquire") {
    lease = await store.acquire("the one");
    console.log(lease === null ? "lost" : "won");
  } else if (lease !== null) {
    await store.release(lease);
    lease = null;
    console.log("released");
  } else console.log("nothing");
});
console.log("ready");
