// One spawn in a process of its own: `spawn-once.ts <state directory> <owner> <key>`. Prints `ready` before the call,
// `spawned <id>` after it, and waits until the bootstrap has ended.
import { writeSync } from "node:fs";
import { setTimeout as pause } from "node:timers/promises";
import { local } from "../src/index.ts";
import { soakRequest } from "./soak-request.ts";

const [stateDirectory, owner, key] = process.argv.slice(2);
if (stateDirectory === undefined || owner === undefined || key === undefined) {
  throw new Error("usage: spawn-once.ts <state directory> <owner> <key>");
}
const provider = local({ stateDirectory, owner });
writeSync(1, "ready\n");
const { id } = await provider.spawn(soakRequest(key));
writeSync(1, `spawned ${id}\n`);
for (let look = 0; look < 1000; look++) {
  const state = (await provider.get(id))?.bootstrap?.state;
  if (state !== "pending" && state !== "running") break;
  await pause(5);
}
writeSync(1, "done\n");
