import type { Clock } from "@slipway/core";
import type { Machines } from "@slipway/provider-kit/emulator";
import type { Cloud } from "../src/wire.ts";

/** A GPU type of the emulated catalog. */
export interface EmulatedGpu {
  readonly id: string;
  readonly name: string;
  readonly memory: number;
  readonly manufacturer: "NVIDIA" | "AMD";
  /** USD for one GPU and hour; null where the cloud has none. */
  readonly price: { readonly secure: number | null; readonly community: number | null };
  readonly maxCount: number;
}

export interface EmulatedCpu {
  readonly id: string;
  readonly name: string;
  readonly vcpu: { readonly min: number; readonly max: number };
  readonly ramGbPerVcpu: number;
  readonly securePerVcpu: number;
}

export interface EmulatedDataCenter {
  readonly id: string;
  readonly name: string;
  readonly region: string;
  readonly networkVolumes: boolean;
}

/** How many GPUs (or CPU pods) of a type a place has. A field that is absent stands for all. */
export interface EmulatedStock {
  readonly spec?: string | undefined;
  readonly dataCenter?: string | undefined;
  readonly cloud?: Cloud | undefined;
  readonly units: number;
}

/** Requests that one key may make in each of RunPod's windows. */
export interface EmulatedRates {
  readonly minute: number;
  readonly hour: number;
  readonly day: number;
}

/** Times are milliseconds. */
export interface RunpodEmulatorSettings {
  /** A simulated one, which passes by itself, if absent. */
  readonly clock?: Clock | undefined;
  /** Decides ids, ports, and which faults with a probability strike. */
  readonly seed?: number | undefined;
  /** The keys that are let in; every one if absent. */
  readonly apiKeys?: readonly string[] | undefined;
  /** One way of every request. */
  readonly latencyMs?: number | undefined;
  readonly provisionMs?: number | undefined;
  /** From PROVISIONING's end to RUNNING: the image is pulled. */
  readonly pullMs?: number | undefined;
  /** Where `ssh.direct` says that every pod is reached; an address that nothing answers if absent. */
  readonly directAt?: (() => { readonly host: string; readonly port: number }) | undefined;
  /** The keys that the account has registered; one if absent. Without any, `startSsh` does nothing. */
  readonly sshKeys?: readonly string[] | undefined;
  /** From RUNNING until `ssh.direct` is told. */
  readonly directMs?: number | undefined;
  /** How long listings miss each create and delete. */
  readonly listLagMs?: number | undefined;
  /** How long a new pod is answered with 404. */
  readonly freshNotFoundMs?: number | undefined;
  /** False: listings are whole, as before pages came. */
  readonly pagination?: boolean | undefined;
  /** The most that one page has; 100 if absent. */
  readonly pageSize?: number | undefined;
  /** Whether a cursor counts (`offset`, so that pages move) or names the last one shown; `offset` if absent. */
  readonly cursors?: "offset" | "keyset" | undefined;
  /** Null: no limits, and no headers of them. */
  readonly rates?: EmulatedRates | null | undefined;
  readonly gpus?: readonly EmulatedGpu[] | undefined;
  readonly cpus?: readonly EmulatedCpu[] | undefined;
  readonly dataCenters?: readonly EmulatedDataCenter[] | undefined;
  /** The last entry that fits counts; 64 units where none does. */
  readonly stock?: readonly EmulatedStock[] | undefined;
  /** Prepaid money; a pod needs one hour of its price. No bounds if absent. */
  readonly balanceUsd?: number | undefined;
  /** The most that all pods together may cost an hour. No bounds if absent. */
  readonly spendLimitUsdPerHour?: number | undefined;
  /** What really runs behind each pod; nothing if absent or null. With null no pod shows an address. */
  readonly machines?: Machines | null | undefined;
}

export const DEFAULT_SSH_KEYS: readonly string[] = ["ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIEmulated account"];
export const DEFAULT_RATES: EmulatedRates = { minute: 60, hour: 3_000, day: 50_000 };
export const DEFAULT_UNITS = 64;

export const DEFAULT_GPUS: readonly EmulatedGpu[] = [
  {
    id: "NVIDIA L4",
    name: "L4",
    memory: 24,
    manufacturer: "NVIDIA",
    price: { secure: 0.43, community: null },
    maxCount: 8,
  },
  {
    id: "NVIDIA GeForce RTX 4090",
    name: "RTX 4090",
    memory: 24,
    manufacturer: "NVIDIA",
    price: { secure: 0.69, community: 0.34 },
    maxCount: 8,
  },
  {
    id: "NVIDIA A100 80GB PCIe",
    name: "A100 PCIe",
    memory: 80,
    manufacturer: "NVIDIA",
    price: { secure: 1.64, community: 1.19 },
    maxCount: 8,
  },
  {
    id: "NVIDIA H100 80GB HBM3",
    name: "H100 SXM",
    memory: 80,
    manufacturer: "NVIDIA",
    price: { secure: 2.99, community: 2.69 },
    maxCount: 8,
  },
  {
    id: "AMD Instinct MI300X OAM",
    name: "MI300X",
    memory: 192,
    manufacturer: "AMD",
    price: { secure: 2.49, community: null },
    maxCount: 8,
  },
];

export const DEFAULT_CPUS: readonly EmulatedCpu[] = [
  { id: "cpu3g", name: "General Purpose", vcpu: { min: 2, max: 32 }, ramGbPerVcpu: 4, securePerVcpu: 0.04 },
  { id: "cpu5c", name: "Compute-Optimized", vcpu: { min: 2, max: 32 }, ramGbPerVcpu: 2, securePerVcpu: 0.035 },
];

export const DEFAULT_DATA_CENTERS: readonly EmulatedDataCenter[] = [
  { id: "EU-RO-1", name: "EU-RO-1", region: "EUROPE", networkVolumes: true },
  { id: "US-KS-2", name: "US-KS-2", region: "NORTH_AMERICA", networkVolumes: true },
  { id: "CA-MTL-3", name: "CA-MTL-3", region: "NORTH_AMERICA", networkVolumes: false },
];
