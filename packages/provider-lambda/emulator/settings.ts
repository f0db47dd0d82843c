import type { Clock } from "@slipway/core";
import type { Machines } from "@slipway/provider-kit/emulator";

/** What an emulator is like. Times are milliseconds. */
export interface LambdaEmulatorSettings {
  /** The only source of time; a simulated one that passes by itself if absent. */
  readonly clock?: Clock | undefined;
  /** Decides ids, and where faults with a probability stand. */
  readonly seed?: number | undefined;
  /** Keys that are let in. */
  readonly apiKeys?: readonly string[] | undefined;
  /** One way of every request; 5. */
  readonly latencyMs?: number | undefined;
  /** Reads miss each write for so long; 0. */
  readonly readLagMs?: number | undefined;
  /** From launch to `active`; 240 000. */
  readonly bootMs?: number | undefined;
  /** From launch to the first sight of the public address; 10 seconds before `active`. */
  readonly addressMs?: number | undefined;
  /** From terminate to `terminated`; 15 000. */
  readonly endMs?: number | undefined;
  /** How long a terminated instance still stands in the list; 5 000. */
  readonly listedAfterEndMs?: number | undefined;
  /** How long it can still be read by its id; 60 000. */
  readonly readableAfterEndMs?: number | undefined;
  /** Launches at the same machine type and region, where `setCapacity` says nothing; 1 000. */
  readonly capacity?: number | undefined;
  /** The most instances of the account; 1 000. */
  readonly instanceQuota?: number | undefined;
  /** The most filesystems; 24. */
  readonly fileSystemQuota?: number | undefined;
  /** The rate limits; null for none. The documented ones if absent. */
  readonly limits?: { readonly requestsPerSecond: number; readonly secondsPerLaunch: number } | null | undefined;
  /** Whether a 429 says how long to wait, which Lambda does not promise; false. */
  readonly retryAfter?: boolean | undefined;
  /** SSH keys that the account has from the beginning. */
  readonly sshKeys?: readonly { readonly name: string; readonly publicKey: string }[] | undefined;
  /** What really runs behind each instance; nothing if absent or null. With null no instance shows an address. */
  readonly machines?: Machines | null | undefined;
}

type Given = Omit<LambdaEmulatorSettings, "clock" | "limits" | "machines">;

export type ResolvedSettings = { readonly [K in keyof Given]-?: NonNullable<Given[K]> } & {
  readonly limits: { readonly requestsPerSecond: number; readonly secondsPerLaunch: number } | null;
  readonly machines: Machines | null;
  /** Whether instances without a machine show an address all the same. */
  readonly isReachable: boolean;
};

/** The key that an emulator takes where `apiKeys` names none. */
export const EMULATOR_API_KEY = "lambda-emulator-key";

export function resolved(settings: LambdaEmulatorSettings): ResolvedSettings {
  const bootMs = settings.bootMs ?? 240_000;
  return {
    seed: settings.seed ?? 1,
    apiKeys: settings.apiKeys ?? [EMULATOR_API_KEY],
    latencyMs: settings.latencyMs ?? 5,
    readLagMs: settings.readLagMs ?? 0,
    bootMs,
    addressMs: settings.addressMs ?? Math.max(0, bootMs - 10_000),
    endMs: settings.endMs ?? 15_000,
    listedAfterEndMs: settings.listedAfterEndMs ?? 5_000,
    readableAfterEndMs: settings.readableAfterEndMs ?? 60_000,
    capacity: settings.capacity ?? 1_000,
    instanceQuota: settings.instanceQuota ?? 1_000,
    fileSystemQuota: settings.fileSystemQuota ?? 24,
    limits: settings.limits === undefined ? { requestsPerSecond: 1, secondsPerLaunch: 12 } : settings.limits,
    retryAfter: settings.retryAfter ?? false,
    sshKeys: settings.sshKeys ?? [],
    machines: settings.machines ?? null,
    isReachable: settings.machines !== null,
  };
}
