import type { ErrorTableRow, Harness, HarnessFactory } from "@slipway/contract-tests";
import { simulatedClock } from "@slipway/provider-kit/emulator";
import { canSay, type RunpodEmulatorSettings, runpodEmulator } from "../emulator/index.ts";
import manifest from "../package.json" with { type: "json" };
import { type Probe, register, runpod, runpodErrorTable } from "../src/index.ts";
import { ownershipOf } from "../src/ownership.ts";

export const API_KEY = "rpa_T3STK3YT3STK3YT3STK3YT3STK3Y";
export const OWNER = "contract-tests";
export const DATA_CENTERS: readonly string[] = ["EU-RO-1", "US-KS-2"];
export const GPU = "NVIDIA GeForce RTX 4090";

/** sshd comes up a moment after RunPod tells its address. */
export function lateProbe(): Probe {
  const asked = new Set<string>();
  return async ({ host, port }) => {
    const seen = asked.has(`${host}:${port}`);
    asked.add(`${host}:${port}`);
    return seen;
  };
}

const WRITES: ReadonlySet<string> = new Set(["spawn", "terminate", "createVolume", "deleteVolume"]);

function rows(): readonly ErrorTableRow[] {
  return runpodErrorTable.map(({ id, operation, code, scope, effect }) => ({
    id,
    operation,
    code,
    ...(scope === undefined ? {} : { scope }),
    // A read has no effect, whatever the row says of writes.
    effect: WRITES.has(operation) ? effect : "none",
  }));
}

/** The provider on its emulator, on simulated time. */
export function runpodHarness(settings: RunpodEmulatorSettings = {}): HarnessFactory {
  return async (): Promise<Harness> => {
    const clock = simulatedClock({ start: "2026-11-20T12:00:00.000Z" });
    const emulator = runpodEmulator({ clock, apiKeys: [API_KEY], latencyMs: 20, pageSize: 3, ...settings });
    const transcript: string[] = [];
    const note = (...said: readonly unknown[]): void => void transcript.push(JSON.stringify(said));
    let isAstray = false;
    const fetch: typeof globalThis.fetch = async (input, init) =>
      isAstray
        ? Response.json({ message: "no Route matched with those values" }, { status: 404 })
        : await emulator.fetch(input, init);
    const runtime = {
      clock,
      fetch,
      onEvent: note,
      log: { debug: note, info: note, warn: note, error: note },
    };
    const config = { dataCenters: [...DATA_CENTERS], readAfterWriteMs: settings.listLagMs ?? 0 };
    const options = { ...config, apiKey: API_KEY, probe: lateProbe(), runtime };
    const { hooks } = await register(config, { owner: OWNER, variables: { RUNPOD_API_KEY: API_KEY }, runtime });
    return {
      registration: { provider: runpod({ ...options, owner: OWNER }), hooks },
      spawnOptions: () => ({ spec: GPU }),
      capabilityOptions: {
        gpu: { spec: undefined, gpu: { type: "A100", count: 2 } } as never,
      },
      another: async ({ owner = OWNER } = {}) => runpod({ ...options, probe: lateProbe(), owner }),
      inspector: {
        instances: async () =>
          emulator.pods().map((pod) => {
            const ownership = ownershipOf({ env: pod.request.env });
            return {
              nativeId: pod.id,
              owner: ownership?.owner ?? null,
              key: ownership?.key ?? null,
              live: pod.deletedAt === null && pod.fixed !== "TERMINATED",
            };
          }),
        volumes: async () =>
          emulator
            .volumes()
            .filter(({ deletedAt }) => deletedAt === null)
            .map(({ id }) => id),
        addUnmanaged: async (name) => emulator.addUnmanaged(name),
        hasUnmanaged: async (id) => emulator.pods().some((pod) => pod.id === id && pod.deletedAt === null),
        crash: async (id) => emulator.setStatus(id, "EXITED"),
        showUnknownState: async (id) => emulator.setStatus(id, "MIGRATING"),
        changes: async () => emulator.changes,
      },
      faults: {
        add: emulator.faults.add,
        clear: emulator.faults.clear,
        supports: ({ operation, when, code }) =>
          operation !== "onHeartbeat" &&
          when !== "stale-read" &&
          (code === undefined || canSay(code)) &&
          (code !== "CAPACITY_ERROR" || operation === "spawn") &&
          // RunPod's 404 means something else there: a thing named in a request, or that it is gone.
          (code !== "NOT_FOUND" || operation === "listVolumes"),
      },
      foreignNotFound: (on) => {
        isAstray = on;
      },
      errorTable: rows(),
      clock,
      unknownId: "0000000000none",
      secrets: [API_KEY],
      transcript: () => transcript.join("\n"),
      patienceMs: 300_000,
      volumeSizeBytes: 10_000_000_000,
      package: {
        manifest,
        register,
        config: { ...config, apiKey: API_KEY },
        badConfigs: [{ apiKey: "two words" }, { dataCenters: [] }, { baseUrl: "ftp://x" }, { cloud: "PUBLIC" }],
      },
      close: async () => undefined,
    };
  };
}
