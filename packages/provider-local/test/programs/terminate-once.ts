// One call of terminate in a process of its own: `terminate-once.ts <state directory> <owner> <id>`.
import { local } from "../../src/index.ts";

const [stateDirectory, owner, id] = process.argv.slice(2);
if (stateDirectory === undefined || owner === undefined || id === undefined) {
  throw new Error("usage: terminate-once.ts <state directory> <owner> <id>");
}
await local({ stateDirectory, owner }).terminate(id);
