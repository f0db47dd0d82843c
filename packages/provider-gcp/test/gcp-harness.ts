import type { ErrorTableRow, Harness, HarnessFactory, UnmanagedVolume } from "@slipway/contract-tests";
import { type Runtime, timestamp } from "@slipway/core";
import { type GcpEmulator, type GcpEmulatorSettings, gcpEmulator } from "../emulator/index.ts";
import manifest from "../package.json" with { type: "json" };
import { gcp, gcpErrorTable, register } from "../src/index.ts";

/** A word that Google does not have, for the case of an unknown state. */
export const UNKNOWN_STATUS = "MIGRATING";
export const TOKEN = "secret-gcp-token-5b1e";
export const PROJECT = "slipway-tests";
const OWNER = "contract-tests";
const READ_AFTER_WRITE_MS = 3_000;
export const ZONES: readonly string[] = ["us-central1-a", "us-central1-b", "europe-west1-b", "europe-west1-d"];

// What no answer, or none of the API's, means; the HTTP client sees to that, and not the provider's table.
const CONNECTION_ROWS: readonly ErrorTableRow[] = [
  { id: "connection-refused", operation: "spawn", code: "NETWORK", effect: "none" },
  { id: "connection-reset", operation: "terminate", code: "NETWORK", effect: "unknown" },
  { id: "answer-timeout", operation: "terminate", code: "TIMEOUT", effect: "unknown" },
  { id: "garbled-answer", operation: "terminate", code: "INTERNAL", effect: "applied" },
  { id: "page-instead", operation: "terminate", code: "INTERNAL", effect: "unknown" },
];

/** The provider over an emulator whose lists lag; with one zone keys are unique, too. */
export function gcpHarness(
  {
    zones = ZONES,
    ...settings
  }: Omit<GcpEmulatorSettings, "tokens" | "project"> & {
    readonly zones?: readonly string[];
  } = {},
  wire: (emulator: GcpEmulator) => typeof globalThis.fetch = ({ fetch }) => fetch,
): HarnessFactory {
  return async (): Promise<Harness> => {
    const emulator = gcpEmulator({
      listLagMs: READ_AFTER_WRITE_MS - 500,
      tokens: [TOKEN],
      project: PROJECT,
      ...settings,
    });
    const transcript: string[] = [];
    const config = { project: PROJECT, token: TOKEN, zones, readAfterWriteMs: READ_AFTER_WRITE_MS };
    const runtime = { ...runtimeOf(emulator, transcript), fetch: wire(emulator) };
    const { control } = emulator;
    return {
      registration: await register(config, { owner: OWNER, variables: {}, runtime }),
      spawnOptions: () => ({ spec: "e2-medium" }),
      capabilityOptions: {
        gpu: { spec: undefined, gpu: { type: "l4", count: 1 } } as never,
        spot: { spot: {} },
        customNetworking: { network: { id: "default", subnet: "default", firewalls: ["web"], isolated: true } },
      },
      another: async ({ owner = OWNER } = {}) => gcp({ ...config, owner, runtime }),
      inspector: {
        instances: async () => control.instances(),
        snapshots: async () => control.snapshots(),
        volumes: async () => control.volumes(),
        addUnmanaged: async (name) => control.addUnmanaged(name, zones[0]),
        hasUnmanaged: async (nativeId) => control.hasUnmanaged(nativeId),
        addUnmanagedVolume: async () => await unmanagedVolume(emulator, zones[0] ?? ""),
        crash: async (nativeId) => control.preempt(nativeId),
        showUnknownState: async (nativeId) => control.setStatus(nativeId, UNKNOWN_STATUS),
        changes: async () => control.changes(),
      },
      faults: {
        add: control.faults.add,
        clear: control.faults.clear,
        supports: control.supports,
        failRegion: (region) => control.setReachable(region, false),
      },
      errorTable: [...gcpErrorTable, ...CONNECTION_ROWS],
      clock: emulator.clock,
      volumeSizeBytes: 10 * 1024 ** 3,
      unknownId: `${PROJECT}/us-central1-a/slip-aaaaaaaa-aaaaaaaaaaaaaaaaaaaa/1234567890123456789`,
      secrets: [TOKEN],
      transcript: () => transcript.join("\n"),
      patienceMs: 300_000,
      package: {
        manifest,
        register,
        config,
        badConfigs: [{ zones: [] }, { zones: ["Atlantis"] }, { token: "two words" }, { baseUrl: "x" }],
      },
      close: async () => undefined,
    };
  };
}

/** All that a provider takes from outside, and where it writes what it says. */
export function runtimeOf(emulator: Pick<GcpEmulator, "clock" | "fetch">, transcript: string[] = []): Partial<Runtime> {
  const note = (level: string) => (message: string, data?: object) => {
    transcript.push(`${timestamp(emulator.clock)} ${level} ${message} ${JSON.stringify(data ?? {})}`);
  };
  return {
    clock: emulator.clock,
    fetch: emulator.fetch,
    onEvent: (event: object) => note("event")("", event),
    log: { debug: note("debug"), info: note("info"), warn: note("warn"), error: note("error") },
  };
}

const DISK_READY_MS = 60_000;

/** A disk that is made by Google's API itself. */
async function unmanagedVolume({ fetch, clock }: GcpEmulator, zone: string): Promise<UnmanagedVolume> {
  const name = "prod-data";
  const disks = `https://compute.example/compute/v1/projects/${PROJECT}/zones/${zone}/disks`;
  const headers = { authorization: `Bearer ${TOKEN}`, "x-goog-api-version": "2026-11-01" };
  await fetch(disks, { method: "POST", headers, body: JSON.stringify({ name, sizeGb: "10" }) });
  await clock.sleep(DISK_READY_MS);
  const read = async (): Promise<Response> => await fetch(`${disks}/${name}`, { headers });
  const { id } = (await (await read()).json()) as { readonly id: string };
  return {
    id: `${PROJECT}/${zone}/${name}/${id}`,
    isThere: async () => (await read()).status === 200,
    remove: async () => {
      await fetch(`${disks}/${name}`, { method: "DELETE", headers });
      await clock.sleep(DISK_READY_MS);
    },
  };
}
