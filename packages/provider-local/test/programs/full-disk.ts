// `full-disk.ts <state directory> <owner>`: spawns until it is refused, then ends all of it; prints what it saw as JSON.
import { isProviderError } from "@slipway/core";
import { local } from "../../src/index.ts";

const [stateDirectory = "", owner = ""] = process.argv.slice(2);
const provider = local({ owner, stateDirectory });
const spawned: string[] = [];
let refusal: unknown;
for (let i = 0; i < 200 && refusal === undefined; i++) {
  try {
    const script = `: ${"x".repeat(100_000)}`;
    spawned.push((await provider.spawn({ key: `k${i}`, bootstrap: { script } })).id);
  } catch (error) {
    refusal = isProviderError(error) ? error.toJSON() : String(error);
  }
}
const listed = (await provider.list()).map(({ id }) => id);
const states = (await provider.list()).map(({ status }) => status);
for (const id of listed) await provider.terminate(id);
const left = (await provider.list({ status: ["running", "terminated", "error", "pending"] })).length;
process.stdout.write(JSON.stringify({ spawned, refusal, listed, states, left }));
