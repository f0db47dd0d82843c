import type { Clock } from "@slipway/core";
import type { Machines } from "@slipway/provider-kit/emulator";
import { EMULATED_REGIONS } from "./catalogue.ts";

/** What an emulator is like. Times are milliseconds. */
export interface Ec2EmulatorSettings {
  /** The only source of time; a simulated one that passes by itself if absent. */
  readonly clock?: Clock | undefined;
  /** Decides ids, and where faults with a probability stand. */
  readonly seed?: number | undefined;
  /** Who is let in. Signatures are not computed: the secret is never sent, and the id alone is compared. */
  readonly credentials?: readonly EmulatorCredentials[] | undefined;
  readonly account?: string | undefined;
  /** Regions that the account may use; each has three zones and a default network. */
  readonly regions?: readonly string[] | undefined;
  /** One way of every request; 5. */
  readonly latencyMs?: number | undefined;
  /** Describes miss each write for so long; 0. */
  readonly readLagMs?: number | undefined;
  /** From launch or start to `running`; 30 000. */
  readonly bootMs?: number | undefined;
  /** From terminate to `terminated`; 20 000. */
  readonly endMs?: number | undefined;
  /** From stop to `stopped`; 20 000. */
  readonly stopMs?: number | undefined;
  /** How long a terminated instance is still shown; 3 600 000. */
  readonly forgottenAfterMs?: number | undefined;
  /** From CreateImage or CreateSnapshot to usable; 60 000. */
  readonly imageMs?: number | undefined;
  /** From CreateVolume to `available`; 2 000. */
  readonly volumeMs?: number | undefined;
  /** From AttachVolume to `attached`, and from DetachVolume to `available`; 1 000. */
  readonly attachMs?: number | undefined;
  /** Instances of one type, zone and market, where `setCapacity` says nothing; 1 000. */
  readonly capacity?: number | undefined;
  /** vCPUs on demand in one region; 10 000. */
  readonly vcpuQuota?: number | undefined;
  /** vCPUs of spot instances in one region; 10 000. */
  readonly spotVcpuQuota?: number | undefined;
  /** Free addresses of each subnet; 4 091. */
  readonly addresses?: number | undefined;
  /** How many times as large as documented the token buckets are, and fill; null for none; 1. */
  readonly limits?: number | null | undefined;
  /** What really runs behind each instance; nothing if absent or null. With null no instance shows an address. */
  readonly machines?: Machines | null | undefined;
}

/** A key pair of the account. */
export interface EmulatorCredentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
}

type Given = Omit<Ec2EmulatorSettings, "clock" | "limits" | "machines">;

export type ResolvedSettings = { readonly [K in keyof Given]-?: NonNullable<Given[K]> } & {
  readonly limits: number | null;
  readonly machines: Machines | null;
  /** Whether instances without a machine show an address all the same. */
  readonly isReachable: boolean;
};

/** The keys that an emulator takes where `credentials` names none. */
export const EMULATOR_CREDENTIALS: EmulatorCredentials = {
  accessKeyId: "AKIAEMULATOREMULATOR",
  secretAccessKey: "emulator-secret-access-key",
};

export function resolved(settings: Ec2EmulatorSettings): ResolvedSettings {
  return {
    seed: settings.seed ?? 1,
    credentials: settings.credentials ?? [EMULATOR_CREDENTIALS],
    account: settings.account ?? "123456789012",
    regions: settings.regions ?? EMULATED_REGIONS,
    latencyMs: settings.latencyMs ?? 5,
    readLagMs: settings.readLagMs ?? 0,
    bootMs: settings.bootMs ?? 30_000,
    endMs: settings.endMs ?? 20_000,
    stopMs: settings.stopMs ?? 20_000,
    forgottenAfterMs: settings.forgottenAfterMs ?? 3_600_000,
    imageMs: settings.imageMs ?? 60_000,
    volumeMs: settings.volumeMs ?? 2_000,
    attachMs: settings.attachMs ?? 1_000,
    capacity: settings.capacity ?? 1_000,
    vcpuQuota: settings.vcpuQuota ?? 10_000,
    spotVcpuQuota: settings.spotVcpuQuota ?? 10_000,
    addresses: settings.addresses ?? 4_091,
    limits: settings.limits === undefined ? 1 : settings.limits,
    machines: settings.machines ?? null,
    isReachable: settings.machines !== null,
  };
}
