import type { Harness, HarnessFactory } from "@slipway/contract-tests";
import { type Runtime, timestamp } from "@slipway/core";
import manifest from "../package.json" with { type: "json" };
import { __name__Emulator } from "../emulator/index.ts";
import { __name__, __name__ErrorTable, register } from "../src/index.ts";

const OWNER = "contract-tests";
// #if http
const API_KEY = "secret-key-of-the-tests";
// #end

/** A fresh world with the provider in it; also what `slipway conformance ./test/harness.ts` runs. */
export const harness: HarnessFactory = async (): Promise<Harness> => {
  // #if http
  const emulator = __name__Emulator({ apiKeys: [API_KEY] });
  const config = { apiKey: API_KEY };
  // #end
  // #if cli
  const emulator = __name__Emulator();
  const config = {};
  // #end
  const { clock, control } = emulator;
  const transcript: string[] = [];
  const note = (message: string, data?: object): void => {
    transcript.push(`${timestamp(clock)} ${message} ${JSON.stringify(data ?? {})}`);
  };
  const runtime: Partial<Runtime> = {
    clock,
    // #if http
    fetch: emulator.fetch,
    // #end
    // #if cli
    exec: emulator.exec,
    // #end
    onEvent: (event) => note("event", event),
    log: { debug: note, info: note, warn: note, error: note },
  };
  return {
    registration: await register(config, { owner: OWNER, variables: {}, runtime }),
    spawnOptions: () => ({ spec: "small" }),
    // #if gpu
    capabilityOptions: { gpu: { gpu: { type: "a10", count: 1 } } },
    // #end
    another: async ({ owner = OWNER } = {}) => __name__({ ...config, owner, runtime }),
    inspector: {
      instances: async () => control.instances(),
      addUnmanaged: async (name) => control.addUnmanaged(name),
      hasUnmanaged: async (nativeId) => control.hasUnmanaged(nativeId),
      crash: async (nativeId) => control.crash(nativeId),
      // #if persistentVolumes
      volumes: async () => control.volumes(),
      // #end
      // #if snapshots
      snapshots: async () => control.snapshots(),
      // #end
      changes: async () => control.changes(),
    },
    faults: { add: control.faults.add, clear: control.faults.clear, supports: control.supports },
    errorTable: __name__ErrorTable,
    clock,
    unknownId: "m-00000000ff",
    // #if http
    secrets: [API_KEY],
    // #end
    // #if cli
    secrets: [],
    // #end
    transcript: () => transcript.join("\n"),
    package: { manifest, register, config, badConfigs: [{ surprise: true }] },
    close: async () => undefined,
  };
};
