// Loaded before any case: its loading takes real time, in which a simulated clock would run away.
import "@aws-sdk/client-cost-explorer";
import "@aws-sdk/client-ec2";
import "@aws-sdk/client-pricing";
import "@aws-sdk/client-ssm";
import "@aws-sdk/client-sts";
import type { ErrorTableRow, Harness, HarnessFactory } from "@slipway/contract-tests";
import { type Runtime, timestamp } from "@slipway/core";
import { type Ec2Emulator, type Ec2EmulatorSettings, ec2Emulator } from "../emulator/index.ts";
import manifest from "../package.json" with { type: "json" };
import { type AwsErrorRow, aws, awsErrorTable, register } from "../src/index.ts";

export const CREDENTIALS = { accessKeyId: "AKIACONTRACTTESTS000", secretAccessKey: "secret-aws-key-9c41f07e" };
const OWNER = "contract-tests";
const READ_AFTER_WRITE_MS = 3_000;
export const REGIONS: readonly string[] = ["us-east-1", "eu-central-1"];

// What no answer, or none of the API's, means; the client sees to that, and not the table.
const CONNECTION_ROWS: readonly ErrorTableRow[] = [
  { id: "connection-refused", operation: "spawn", code: "NETWORK", effect: "none" },
  { id: "connection-reset", operation: "spawn", code: "NETWORK", effect: "unknown" },
  { id: "answer-timeout", operation: "spawn", code: "TIMEOUT", effect: "unknown" },
  { id: "garbled-answer", operation: "spawn", code: "INTERNAL", effect: "applied" },
  { id: "page-instead", operation: "terminate", code: "INTERNAL", effect: "unknown" },
];

/** Those of the table that a remote can answer with: some are the SDK's own, and two the spawn answers itself. */
const NOT_ON_THE_WIRE = /^(Credentials|Token)ProviderError$|^NoCredentialProviders$|^Idempotent|\//;
export const WIRE_ROWS: readonly AwsErrorRow[] = awsErrorTable.filter(({ id }) => !NOT_ON_THE_WIRE.test(id));

// A few of each kind: the table's own test goes through all of them.
const TRIED = new Set([
  "InsufficientInstanceCapacity",
  "InsufficientFreeAddressesInSubnet",
  "MaxSpotInstanceCountExceeded",
  "VcpuLimitExceeded",
  "InstanceLimitExceeded",
  "AuthFailure",
  "UnauthorizedOperation",
  "OptInRequired",
  "RequestLimitExceeded",
  "InvalidParameterValue",
  "InvalidParameterCombination",
  "Unsupported",
  "InternalError",
  "Unavailable",
  "ServiceUnavailable",
]);

/** The provider over an emulator that lags, throttles and forgets as EC2 does. */
export function awsHarness(
  settings: Ec2EmulatorSettings = {},
  wire: (emulator: Ec2Emulator) => typeof globalThis.fetch = ({ fetch }) => fetch,
): HarnessFactory {
  return async (): Promise<Harness> => {
    const emulator = ec2Emulator({
      readLagMs: READ_AFTER_WRITE_MS - 500,
      credentials: [CREDENTIALS],
      regions: REGIONS.map((name) => name),
      ...settings,
    });
    const transcript: string[] = [];
    const config = { credentials: CREDENTIALS, regions: REGIONS, readAfterWriteMs: READ_AFTER_WRITE_MS };
    const down = new Map<string, number>();
    const runtime = { ...runtimeOf(emulator, transcript), fetch: without(down, wire(emulator)) };
    const { control } = emulator;
    return {
      registration: await register(config, { owner: OWNER, variables: {}, runtime }),
      spawnOptions: () => ({ spec: "t3.micro" }),
      capabilityOptions: {
        gpu: { spec: "g4dn.xlarge", gpu: { type: "t4", count: 1 } },
        spot: { spot: {} },
        hibernation: { hibernation: true },
        customNetworking: { network: { isolated: true } },
      },
      another: async ({ owner = OWNER } = {}) => aws({ ...config, owner, runtime }),
      inspector: {
        instances: async () =>
          control.instances().map(({ id, owner, key, live }) => ({ nativeId: bare(id), owner, key, live })),
        // Also the disks of instances, but not those of unmanaged machines.
        volumes: async () =>
          control
            .volumes()
            .filter(isTagged)
            .map(({ id }) => id),
        snapshots: async () => [...control.images(), ...control.snapshots()].map(({ id }) => id),
        addUnmanaged: async (name) => bare(control.addUnmanaged(name)),
        hasUnmanaged: async (nativeId) => control.hasUnmanaged(`${REGIONS[0]}/${nativeId}`),
        crash: async (nativeId) => control.crash(nativeId),
        showUnknownState: async (nativeId) => control.setState(nativeId, "migrating"),
        changes: async () => control.changes(),
      },
      faults: {
        add: control.faults.add,
        clear: control.faults.clear,
        supports: control.supports,
        failRegion: (region) => down.set(region, FAILING_READS),
      },
      errorTable: [...WIRE_ROWS.filter(({ id }) => TRIED.has(id)), ...CONNECTION_ROWS],
      clock: emulator.clock,
      unknownId: "us-east-1/i-0123456789abcdef0",
      secrets: [CREDENTIALS.secretAccessKey],
      transcript: () => transcript.join("\n"),
      patienceMs: 600_000,
      package: {
        manifest,
        register,
        config,
        badConfigs: [{ regions: [] }, { regions: ["Atlantis"] }, { credentials: { accessKeyId: "one" } }, { share: 2 }],
      },
      close: async () => undefined,
    };
  };
}

// As often as the client tries one read.
const FAILING_READS = 5;

/** A wire over which the next reads of some regions fail. */
function without(down: Map<string, number>, fetch: typeof globalThis.fetch): typeof globalThis.fetch {
  return async (input, init) => {
    const [, region = ""] =
      /Credential=[^/]+\/\d+\/([^/]+)\//.exec(new Headers(init?.headers).get("authorization") ?? "") ?? [];
    const left = down.get(region) ?? 0;
    if (left === 0) return await fetch(input, init);
    down.set(region, left - 1);
    return new Response("<html>", { status: 503 });
  };
}

const isTagged = ({ tags }: { readonly tags: Readonly<Record<string, string>> }): boolean => "slipway:owner" in tags;
const bare = (id: string): string => id.slice(id.indexOf("/") + 1);

/** All that a provider takes from outside, and where it writes what it says. */
export function runtimeOf(emulator: Pick<Ec2Emulator, "clock" | "fetch">, transcript: string[] = []): Partial<Runtime> {
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
