import type { ErrorTableRow, Harness, HarnessFactory, UnmanagedVolume } from "@slipway/contract-tests";
import { type Runtime, timestamp } from "@slipway/core";
import { type LambdaEmulator, type LambdaEmulatorSettings, lambdaEmulator } from "../emulator/index.ts";
import manifest from "../package.json" with { type: "json" };
import { lambda, lambdaErrorTable, register } from "../src/index.ts";

export const API_KEY = "secret-lambda-key-0f3a";
const OWNER = "contract-tests";
const READ_AFTER_WRITE_MS = 3_000;
const REGIONS = ["us-west-1", "us-east-1", "europe-central-1"];

// What no answer, or none of the API's, means; the HTTP client sees to that, and not the provider's table.
const CONNECTION_ROWS: readonly ErrorTableRow[] = [
  { id: "connection-refused", operation: "spawn", code: "NETWORK", effect: "none" },
  { id: "connection-reset", operation: "spawn", code: "NETWORK", effect: "unknown" },
  { id: "answer-timeout", operation: "spawn", code: "TIMEOUT", effect: "unknown" },
  { id: "garbled-answer", operation: "spawn", code: "INTERNAL", effect: "applied" },
  { id: "page-instead", operation: "terminate", code: "INTERNAL", effect: "unknown" },
];

/** The provider over an emulator that lags, throttles and forgets as Lambda does. */
export function lambdaHarness(
  settings: Omit<LambdaEmulatorSettings, "apiKeys"> = {},
  wire: (emulator: LambdaEmulator) => typeof globalThis.fetch = ({ fetch }) => fetch,
): HarnessFactory {
  return async (): Promise<Harness> => {
    const emulator = lambdaEmulator({
      readLagMs: READ_AFTER_WRITE_MS - 500,
      bootMs: 60_000,
      apiKeys: [API_KEY],
      sshKeys: [{ name: "laptop", publicKey: "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAILaptop me@laptop" }],
      ...settings,
    });
    const transcript: string[] = [];
    const config = {
      apiKey: API_KEY,
      regions: REGIONS,
      sshKeyName: "laptop",
      readAfterWriteMs: READ_AFTER_WRITE_MS,
    };
    const wired = wire(emulator);
    let isAstray = false;
    const fetch: typeof globalThis.fetch = async (input, init) =>
      isAstray
        ? Response.json({ message: "no Route matched with those values" }, { status: 404 })
        : await wired(input, init);
    const runtime = { ...runtimeOf(emulator, transcript), fetch };
    const { control } = emulator;
    return {
      registration: await register(config, { owner: OWNER, variables: {}, runtime }),
      spawnOptions: () => ({ spec: "gpu_1x_a10" }),
      capabilityOptions: { gpu: { gpu: { type: "a10", count: 1 } } },
      another: async ({ owner = OWNER } = {}) => lambda({ ...config, owner, runtime }),
      inspector: {
        instances: async () => control.instances(),
        volumes: async () => control.volumes(),
        addUnmanaged: async (name) => control.addUnmanaged(name),
        hasUnmanaged: async (nativeId) => control.hasUnmanaged(nativeId),
        addUnmanagedVolume: async () => await unmanagedVolume(emulator),
        crash: async (nativeId) => control.crash(nativeId),
        showUnknownState: async (nativeId) => control.setStatus(nativeId, "migrating"),
        changes: async () => control.changes(),
      },
      faults: { add: control.faults.add, clear: control.faults.clear, supports: control.supports },
      foreignNotFound: (on) => {
        isAstray = on;
      },
      errorTable: [...lambdaErrorTable, ...CONNECTION_ROWS],
      clock: emulator.clock,
      unknownId: "0123456789abcdef0123456789abcdef",
      secrets: [API_KEY],
      transcript: () => transcript.join("\n"),
      patienceMs: 300_000,
      package: { manifest, register, config, badConfigs: [{ regions: [] }, { apiKey: "two words" }, { baseUrl: "x" }] },
      close: async () => undefined,
    };
  };
}

/** All that a provider takes from outside, and where it writes what it says. */
export function runtimeOf(emulator: LambdaEmulator, transcript: string[] = []): Partial<Runtime> {
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

const FREE_AGAIN_MS = 2_000;

/** A filesystem that is made by Lambda's API itself, within its limits. */
async function unmanagedVolume({ fetch, clock, control }: LambdaEmulator): Promise<UnmanagedVolume> {
  const name = "prod-data";
  const filesystems = "https://cloud.lambda.ai/api/v1/filesystems";
  const headers = { authorization: `Bearer ${API_KEY}`, "user-agent": "test" };
  const body = JSON.stringify({ name, region: REGIONS[0] });
  const { data } = (await (await fetch(filesystems, { method: "POST", headers, body })).json()) as {
    readonly data: { readonly id: string };
  };
  await clock.sleep(FREE_AGAIN_MS);
  return {
    id: data.id,
    isThere: async () => control.volumes().includes(name),
    remove: async () => {
      await clock.sleep(FREE_AGAIN_MS);
      await fetch(`${filesystems}/${data.id}`, { method: "DELETE", headers });
    },
  };
}
