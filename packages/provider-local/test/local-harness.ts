import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Harness, HarnessFactory } from "@slipway/contract-tests";
import { nameFor } from "@slipway/core";
import { detectIsolation, type Isolation, type IsolationReport } from "@slipway/provider-kit/sandbox";
import { type LocalProvider, local, register } from "../src/index.ts";
import { badMachine } from "./bad-machine.ts";
import { errorRows } from "./error-rows.ts";
import { kill, machineInspector, taggedProcesses } from "./machine-inspector.ts";
import { forgetStateDirectory, hurryingClock, rememberStateDirectory } from "./state-directories.ts";

const TOKEN = "registration-token-for-tests";
const MIB = 1024 * 1024;

/** What each isolation is asked for with. */
export const SETTINGS: Readonly<Record<Isolation, string>> = { bubblewrap: "bubblewrap", "process-group": "none" };

export function variablesFor(isolation: Isolation): Readonly<Record<string, string | undefined>> {
  return { ...process.env, SLIPWAY_SANDBOX: SETTINGS[isolation] };
}

/**
 * The best isolation that this machine has, or the one that `SLIPWAY_SANDBOX=none` leaves: `.ci/run` tests with both, in two
 * stages. All that it has with SLIPWAY_WHOLE_SUITE=1. The reason why one is missing stands in the report of the other.
 */
export async function isolationsHere(): Promise<readonly IsolationReport[]> {
  if (process.env["SLIPWAY_SANDBOX"] === "none") return [await detectIsolation()];
  const best = await detectIsolation({ variables: { ...process.env, SLIPWAY_SANDBOX: "auto" } });
  if (best.isolation !== "bubblewrap" || process.env["SLIPWAY_WHOLE_SUITE"] !== "1") return [best];
  return [best, await detectIsolation({ variables: variablesFor("process-group") })];
}

let worlds = 0;
/** A fresh state directory for every case, with the process table as the inspector. */
export function localHarness(isolation: Isolation): HarnessFactory {
  return async () => {
    const owner = `contract-${process.pid}-${++worlds}`;
    const stateDirectory = mkdtempSync(join(tmpdir(), "slipway-local-"));
    const clock = hurryingClock();
    rememberStateDirectory(owner, { directory: stateDirectory, clock });
    const variables = variablesFor(isolation);
    const machine = badMachine(stateDirectory);
    const seen: unknown[] = [];
    const note = (...said: unknown[]): void => void seen.push(said);
    const runtime = { clock, onEvent: note, log: { debug: note, info: note, warn: note, error: note } };
    const isolatedNetworks = isolation === "bubblewrap";
    // Patience is the default: no case may depend on how fast the machine is.
    const config = { stateDirectory, isolatedNetworks };
    const { provider, ...rest } = await register(config, { owner, variables, runtime });
    if (provider === undefined) throw new Error("local registers no provider");
    const own = local({ owner, stateDirectory, variables });
    return {
      registration: { ...rest, provider },
      spawnOptions: () => ({ labels: { suite: "yes" } }),
      capabilityOptions: {
        snapshots: async () => ({ fromSnapshot: await snapshot(own) }),
        persistentVolumes: async () => {
          const { id } = await own.createVolume({ key: crypto.randomUUID(), sizeBytes: MIB });
          return { volumes: [{ id, mountPath: "/data" }] };
        },
        ...(isolatedNetworks ? { customNetworking: { network: { isolated: true } } } : {}),
      },
      another: async (options) => {
        const other = await register(config, { owner: options?.owner ?? owner, variables, runtime });
        if (other.provider === undefined) throw new Error("local registers no provider");
        return other.provider;
      },
      inspector: machineInspector(stateDirectory, machine.instancesDirectory),
      faults: machine.faults,
      errorTable: errorRows(isolation),
      clock,
      unknownId: `${nameFor(owner, "never made")}-00000000`,
      secrets: [TOKEN],
      transcript: () => JSON.stringify(seen),
      patienceMs: 30_000,
      terminateByLeadMs: 5_000,
      caseTimeoutMs: 60_000,
      volumeSizeBytes: MIB,
      package: {
        manifest: manifest(),
        register,
        config,
        badConfigs: [{ stateDirectory: "relative" }, { patienceMs: 0 }],
      },
      close: async () => {
        const ours = (id: string): boolean => id.startsWith(nameFor(owner, "").slice(0, 14));
        for (const { pid, id } of taggedProcesses()) if (ours(id)) kill(pid);
        machine.faults.clear();
        forgetStateDirectory(owner);
        rmSync(stateDirectory, { recursive: true, force: true });
      },
    } satisfies Harness;
  };
}

async function snapshot(provider: LocalProvider): Promise<string> {
  const { id } = await provider.spawn({ key: crypto.randomUUID() });
  const made = await provider.createSnapshot(id, { key: crypto.randomUUID() });
  await provider.terminate(id);
  return made.id;
}

function manifest(): Readonly<Record<string, unknown>> {
  return JSON.parse(readFileSync(new URL("../package.json", import.meta.url), "utf8")) as Record<string, unknown>;
}
