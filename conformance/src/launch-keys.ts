// A control plane's process: launches each key once on Lambda's emulator, and prints what came of it as one JSON line.
// Usage: launch-keys <base URL> <store directory> <key,key,…>
import { fileStore, launch } from "@slipway/control";
import { isProviderError, type Provider } from "@slipway/core";
import { lambda } from "@slipway/provider-lambda";
import { EMULATOR_API_KEY } from "@slipway/provider-lambda/emulator";
import { LIMITS, OWNER, READ_AFTER_WRITE_MS } from "./scaled-lambda.ts";

const [baseUrl = "", directory = "", keys = ""] = process.argv.slice(2);

const provider: Provider = lambda({
  ...LIMITS,
  apiKey: EMULATOR_API_KEY,
  owner: OWNER,
  baseUrl,
  regions: ["us-west-1"],
  sshKeyName: "laptop",
  readAfterWriteMs: READ_AFTER_WRITE_MS,
});
const store = fileStore(directory);

const outcomes = await Promise.all(
  keys.split(",").map(async (key) => {
    try {
      const { id } = await launch(provider, { key, spec: "gpu_1x_a10" }, { store, leaseTimeoutMs: 60_000 });
      return { key, id };
    } catch (error) {
      if (!isProviderError(error)) throw error;
      return { key, code: error.code, effect: error.effect };
    }
  }),
);
process.stdout.write(`${JSON.stringify(outcomes)}\n`);
