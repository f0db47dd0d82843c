// One spawn in a process of its own: `spawn-once.ts <kubeconfig> <key>`. Prints `ready` before the call and `spawned` after it.
import { writeSync } from "node:fs";
import { kubernetes } from "../src/index.ts";
import { OWNER, soakRequest } from "./soak-request.ts";

const [kubeconfig, key] = process.argv.slice(2);
if (kubeconfig === undefined || key === undefined) throw new Error("usage: spawn-once.ts <kubeconfig> <key>");
const provider = kubernetes({ owner: OWNER, kubeconfig });
writeSync(1, "ready\n");
await provider.spawn(soakRequest(key));
writeSync(1, "spawned\n");
