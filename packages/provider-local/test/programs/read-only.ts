// `read-only.ts <state directory> <owner> <id>`: tries every call on a state that cannot be written; prints JSON.
import { isProviderError } from "@slipway/core";
import { local } from "../../src/index.ts";

const [stateDirectory = "", owner = "", id = ""] = process.argv.slice(2);
const provider = local({ owner, stateDirectory });

async function outcome(call: () => Promise<unknown>): Promise<unknown> {
  try {
    await call();
    return "resolved";
  } catch (error) {
    return isProviderError(error) ? [error.code, error.effect, error.message] : String(error);
  }
}

const told = {
  list: (await provider.list()).map((instance) => [instance.id, instance.status]),
  get: (await provider.get(id))?.status,
  exec: (await provider.exec(id, ["echo", "in"])).stdout,
  spawn: await outcome(() => provider.spawn({ key: "another" })),
  again: await outcome(() => provider.spawn({ key: "one" })),
  terminate: await outcome(() => provider.terminate(id)),
  createVolume: await outcome(() => provider.createVolume({ key: "v", sizeBytes: 1 })),
};
process.stdout.write(JSON.stringify(told));
