import type { Sandbox } from "@slipway/provider-kit/sandbox";

export type EngineState = "Running" | "Stopped" | "Starting";
export type Arch = "arm64" | "amd64";
export type MachinePhase =
  | "creating"
  | "provisioning"
  | "running"
  | "stopping"
  | "stopped"
  | "starting"
  | "deleting"
  | "gone";

/** Milliseconds on the emulator's clock. */
export interface Latencies {
  readonly create: number;
  readonly start: number;
  readonly stop: number;
  readonly delete: number;
  readonly clone: number;
}

export interface Limits {
  cpu: number;
  memory_mib: number;
  disk_bytes: number;
}

export interface MachineConfig {
  isolated: boolean;
  forward_ssh_agent: boolean;
  isolate_network: boolean;
  default_username: string;
  http_port: number;
  https_port: number;
  mounts?: { source: string; destination?: string }[];
}

export interface MachineImage {
  readonly distro: string;
  readonly version: string;
  readonly arch: Arch;
  readonly variant: "default" | "cloud";
}

/** What is still to come of a machine: reached when its time is, whoever looks then, and whoever asked for it is gone. */
export interface Step {
  readonly at: number;
  readonly to: MachinePhase;
}

export interface MachineRecord {
  /** A ULID; survives a rename. */
  readonly id: string;
  name: string;
  readonly image: MachineImage;
  readonly config: MachineConfig;
  state: MachinePhase;
  /** It ran when OrbStack was stopped. */
  ranBefore?: boolean;
  disk_size: number;
  ip4?: string;
  ip6?: string;
  /** 0: unlimited. */
  readonly limits: Limits;
  steps: Step[];
  /** The how-many-eth it was. */
  readonly made: number;
  /** It never got an address: `create` tells so in the end. */
  noAddress?: boolean;
  /** Was it stopped before it was deleted? Else its address is not given back where `leakIps` is on. */
  stoppedFirst: boolean;
  /** Its processes, from the first `run` to the stop. */
  sandbox?: Sandbox;
  userData?: string;
}

/** What a call shall do instead of what it would do. */
export interface CommandFault {
  /** The subcommand, as `create`. */
  readonly command: string;
  /**
   * `fail`: refused with `stderr`. `fail-after`: done, and then that. `hang`: done and never answered. `hang-before`: not
   * even done. `vanish`: the client dies by a signal, and the daemon goes on. `garble`: done, and half of the answer.
   */
  readonly does: "fail" | "fail-after" | "hang" | "hang-before" | "vanish" | "garble";
  readonly stderr?: string | undefined;
  readonly exitCode?: number | undefined;
  /** How often; 1 if absent. */
  readonly times?: number | undefined;
}

/** How this OrbStack deviates, or what is not known of the real one. */
export interface EngineSettings {
  /** Exit code of `status` while it is stopped. */
  statusExitCode: number;
  /** Addresses of machines that were deleted without a stop are never given back. */
  leakIps: boolean;
  listReturnsNull: boolean;
  /** Prints the update box around what a command prints. */
  banner: "none" | "stdout" | "stderr";
  /** Unknown keys in the JSON. */
  extraFields: boolean;
  /** Without the keys that are newer than 2.1. */
  oldSchema: boolean;
  /** `cpu_limit` and so on in the record. */
  limitsInRecord: boolean;
  /** A deleted machine stays in `list` for so long. */
  staleListMs: number;
  crashOnDeleteById: boolean;
  /** `delete` needs `--force`. */
  strictForce: boolean;
  /** At the cap a machine can be neither renamed nor deleted. */
  atDiskCap: readonly string[];
}

export interface OrbState {
  engine: EngineState;
  version: string;
  build: string;
  config: Record<string, string>;
  default: string | null;
  machines: MachineRecord[];
  nextIp: number;
  ipPoolLeft: number;
  /** Deleted rows that `list` still shows. */
  ghosts: { readonly machine: MachineRecord; readonly until: number }[];
  latencyMs: Latencies;
  engineSettings: EngineSettings;
  faults: (CommandFault & { left: number })[];
  /** Every call: its arguments, and whether its input was closed. */
  log: { readonly argv: readonly string[]; readonly stdin: "closed" | "given" }[];
  /** `stop` without a name was called. */
  engineStops: number;
  /** How many writes have had an effect. */
  changes: number;
  /** Machines made so far: it makes ids unique. */
  made: number;
  /** Milliseconds since the epoch at which the clock of every process that shares this state began. */
  origin: number;
  /** How many times as fast as the real time theirs passes. */
  speed: number;
  /** Some process has used it: from then on it lies in its file. */
  begun: boolean;
}

const DEFAULT_LATENCIES: Latencies = { create: 18_000, start: 2_000, stop: 1_500, delete: 300, clone: 1_000 };

const DEFAULT_ENGINE_SETTINGS: EngineSettings = {
  statusExitCode: 1,
  leakIps: true,
  listReturnsNull: false,
  banner: "none",
  extraFields: false,
  oldSchema: false,
  limitsInRecord: false,
  staleListMs: 500,
  crashOnDeleteById: true,
  strictForce: true,
  atDiskCap: [],
};

/**
 * @example
 * ```ts
 * const state = initialState();
 * ```
 */
export function initialState(settings: Partial<OrbState> = {}): OrbState {
  return {
    engine: "Running",
    version: "2.2.3",
    build: "2020300",
    config: { cpu: "8", memory_mib: "8192", "network.subnet4": "192.168.138.0/23", rosetta: "true" },
    default: null,
    machines: [],
    nextIp: 2,
    ipPoolLeft: 250,
    ghosts: [],
    latencyMs: DEFAULT_LATENCIES,
    engineSettings: DEFAULT_ENGINE_SETTINGS,
    faults: [],
    log: [],
    engineStops: 0,
    changes: 0,
    made: 0,
    origin: 0,
    speed: 1,
    begun: false,
    ...settings,
  };
}
