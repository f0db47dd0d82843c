import type { Clock } from "@slipway/core";

const GIB = 1024 ** 3;

/** A machine type of the remote's catalogue. */
export interface MemorySpec {
  readonly name: string;
  readonly cpus: number;
  readonly memoryBytes: number;
  readonly diskBytes: number;
  readonly gpu?: { readonly type: string; readonly count: number } | undefined;
  /** Null: the remote does not tell what it costs. */
  readonly usdPerHour: number | null;
}

export interface MemoryRegion {
  readonly id: string;
  readonly name: string;
  readonly zones: readonly string[];
}

/** A bound on how many machines may be at a place at the same time. What is absent matches everything. */
export interface CapacityRule {
  readonly region?: string | undefined;
  readonly zone?: string | undefined;
  readonly spec?: string | undefined;
  readonly machines: number;
}

/** The most that the account may have at the same time. Absent: no bound. */
export interface MemoryQuotas {
  readonly machines?: number | undefined;
  readonly volumes?: number | undefined;
  readonly snapshots?: number | undefined;
  readonly gpus?: number | undefined;
}

/** A token bucket: it holds `burst` requests at most and gains `perSecond` of them. */
export interface MemoryThrottle {
  readonly burst: number;
  readonly perSecond: number;
}

/** User data as it came over the wire. */
export interface UserData {
  readonly content: string;
  readonly format: "cloud-init" | "shell";
  readonly checksum: string;
}

export interface BootstrapRun extends UserData {
  /** The caller's own script, where the user data was rendered by `generateBootstrap`; else the content. */
  readonly script: string;
}

export interface BootstrapOutcome {
  readonly exitCode: number;
  /** Lines that `logs` shows. */
  readonly output?: readonly string[] | undefined;
}

export interface NodeRun {
  readonly node: string;
  readonly argv: readonly string[];
  readonly stdin: string;
}

export interface NodeRunResult {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** How the remote behaves. Everything has a default; times are milliseconds on the world's clock. */
export interface MemoryWorldSettings<TClock extends Clock = Clock> {
  /** A simulated clock of its own if absent. */
  readonly clock?: TClock | undefined;
  /** Decides the ids and whatever else looks like chance. */
  readonly seed?: number | undefined;
  /** One way of a request. */
  readonly latencyMs?: number | undefined;
  /** Reads miss every write for so long. Also what the provider's `limits` say. */
  readonly readAfterWriteMs?: number | undefined;
  /** `always` (the default): every read is that late. `faults`: only where a `stale-read` fault is placed. */
  readonly staleReads?: "always" | "faults" | undefined;
  readonly bootMs?: number | undefined;
  readonly bootstrapMs?: number | undefined;
  readonly terminateMs?: number | undefined;
  readonly snapshotMs?: number | undefined;
  readonly volumeMs?: number | undefined;
  readonly hibernateMs?: number | undefined;
  readonly spotFillMs?: number | undefined;
  /** How long a spot request waits before it is lost. */
  readonly spotPatienceMs?: number | undefined;
  /** How long what is deleted can still be read. */
  readonly forgetMs?: number | undefined;
  /** `two-step`: a machine is made as a draft and then started by a second request, so that a killed client leaves half a machine. */
  readonly creation?: "one-step" | "two-step" | undefined;
  readonly regions?: readonly MemoryRegion[] | undefined;
  readonly specs?: readonly MemorySpec[] | undefined;
  /** Any image if absent. */
  readonly images?: readonly string[] | undefined;
  readonly capacity?: readonly CapacityRule[] | undefined;
  readonly quotas?: MemoryQuotas | undefined;
  /** USD per hour by spec, over the catalogue's. */
  readonly prices?: Readonly<Record<string, number | null>> | undefined;
  /** What interruptible capacity costs, as a part of the full price. */
  readonly spotFactor?: number | undefined;
  /** By contract method (`spawn`) or wire operation (`machines.create`). */
  readonly throttling?: Readonly<Record<string, MemoryThrottle>> | undefined;
  readonly userDataMax?: number | undefined;
  /** The keys that are let in; every key, and none, if absent. */
  readonly apiKeys?: readonly string[] | undefined;
  /** How many things one page of a listing holds. */
  readonly pageSize?: number | undefined;
  /** What a bootstrap does. Absent: it succeeds, unless its last line is `exit N`. */
  readonly runBootstrap?: ((run: BootstrapRun) => BootstrapOutcome) | undefined;
  /** What a command in a cluster's node does. Absent, or undefined as the answer: `true`, `false`, `echo`, `cat` and `hostname` work. */
  readonly runInNode?: ((run: NodeRun) => NodeRunResult | undefined) | undefined;
}

/** Those whose absence means something. */
type OptionalSetting = "images" | "apiKeys" | "runBootstrap" | "runInNode";

export type WorldSettings = {
  readonly [K in Exclude<keyof MemoryWorldSettings, "clock" | OptionalSetting>]-?: NonNullable<MemoryWorldSettings[K]>;
} & Pick<MemoryWorldSettings, OptionalSetting>;

const DEFAULT_REGIONS: readonly MemoryRegion[] = [
  { id: "mem-east-1", name: "Memory East", zones: ["mem-east-1a", "mem-east-1b"] },
  { id: "mem-west-1", name: "Memory West", zones: ["mem-west-1a", "mem-west-1b"] },
];

const DEFAULT_SPECS: readonly MemorySpec[] = [
  { name: "m1.small", cpus: 1, memoryBytes: GIB, diskBytes: 10 * GIB, usdPerHour: 0.01 },
  { name: "m1.medium", cpus: 2, memoryBytes: 4 * GIB, diskBytes: 40 * GIB, usdPerHour: 0.04 },
  { name: "m1.large", cpus: 8, memoryBytes: 32 * GIB, diskBytes: 200 * GIB, usdPerHour: 0.3 },
  {
    name: "g1.one",
    cpus: 8,
    memoryBytes: 64 * GIB,
    diskBytes: 500 * GIB,
    gpu: { type: "q100", count: 1 },
    usdPerHour: 2,
  },
  {
    name: "g1.eight",
    cpus: 64,
    memoryBytes: 512 * GIB,
    diskBytes: 4_000 * GIB,
    gpu: { type: "q100", count: 8 },
    usdPerHour: 16,
  },
];

const DEFAULTS: WorldSettings = {
  seed: 1,
  latencyMs: 5,
  readAfterWriteMs: 0,
  staleReads: "always",
  bootMs: 20_000,
  bootstrapMs: 10_000,
  terminateMs: 5_000,
  snapshotMs: 30_000,
  volumeMs: 2_000,
  hibernateMs: 10_000,
  spotFillMs: 5_000,
  spotPatienceMs: 600_000,
  forgetMs: 3_600_000,
  creation: "one-step",
  regions: DEFAULT_REGIONS,
  specs: DEFAULT_SPECS,
  capacity: [],
  quotas: {},
  prices: {},
  spotFactor: 0.3,
  throttling: {},
  userDataMax: 16_384,
  pageSize: 50,
};

/** Fills in the defaults; an `undefined` counts as absent. */
export function withDefaults(settings: MemoryWorldSettings): WorldSettings {
  const given = Object.fromEntries(Object.entries(settings).filter(([, value]) => value !== undefined));
  const filled: WorldSettings = { ...DEFAULTS, ...given };
  if (filled.regions.length === 0 || filled.regions.some((region) => region.zones.length === 0)) {
    throw new TypeError("a memory world needs a region, and each region a zone");
  }
  if (filled.specs.length === 0) throw new TypeError("a memory world needs a spec");
  return filled;
}
