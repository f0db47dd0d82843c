import type { Sandbox } from "@slipway/provider-kit/sandbox";

/** The releases whose answers are emulated. */
export type EmulatedVersion = "0.12.3" | "1.0.0" | "1.2.2" | "1.4.1";
export type ServiceState = "running" | "unregistered" | "not running" | "hang";

/** Milliseconds on the emulator's clock. */
export interface Delays {
  readonly bootMs: number;
  readonly pullMs: number;
  readonly stopMs: number;
}

export interface PublishedPort {
  readonly hostAddress: string;
  readonly hostPort: number;
  readonly containerPort: number;
  readonly proto: "tcp" | "udp";
}

export interface Mounted {
  readonly kind: "volume" | "bind" | "tmpfs";
  /** A volume's name, or a path of the host. */
  readonly source: string;
  readonly destination: string;
}

/** A container as the service remembers it. */
export interface ContainerRecord {
  readonly id: string;
  readonly image: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly cpus: number;
  readonly memoryBytes: number;
  readonly ports: readonly PublishedPort[];
  readonly mounts: readonly Mounted[];
  /** `none`, or a network's name. */
  readonly network: string;
  readonly environment: readonly string[];
  /** The first process, entrypoint and all. */
  readonly argv: readonly string[];
  readonly capAdd: readonly string[];
  readonly useInit: boolean;
  readonly removeAfter: boolean;
  readonly createdAt: number;
  /** Absent: it never started, or the service was restarted since. */
  startedAt?: number;
  ipv4?: string;
  /** While it runs. */
  sandbox?: Sandbox;
}

export interface VolumeRecord {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly sizeBytes: number;
  readonly createdAt: number;
}

/** What a call shall do instead of what it would do. */
export interface CommandFault {
  /** The first words of the arguments, as `run`, `image pull`, `exec kubeadm`. */
  readonly command: string;
  /**
   * `fail`: refused with `stderr`. `fail-after`: done, and then that. `hang`: done and never answered.
   * `hang-before`: not even done. `vanish`: the command dies by a signal after it was done.
   */
  readonly does: "fail" | "fail-after" | "hang" | "hang-before" | "vanish";
  readonly stderr?: string | undefined;
  readonly exitCode?: number | undefined;
  /** How often; 1 if absent. */
  readonly times?: number | undefined;
}

/** How a step that is emulated inside a node behaves. */
export interface StepBehaviour {
  readonly does: "fail" | "fail-after" | "hang";
  /** How often; always if absent. */
  readonly times?: number | undefined;
  /** What it prints on stderr. */
  readonly says?: string | undefined;
}

export interface MachineState {
  version: EmulatedVersion;
  macos: 15 | 26;
  service: ServiceState;
  delays: Delays;
  /** Milliseconds since the epoch at which the clock of every process that shares this state began. */
  origin: number;
  containers: Record<string, ContainerRecord>;
  volumes: Record<string, VolumeRecord>;
  networks: readonly string[];
  images: readonly string[];
  /** In the registry beside the well-known ones. */
  published: readonly string[];
  nextAddress: number;
  changes: number;
  faults: (CommandFault & { left: number })[];
  steps: Record<string, StepBehaviour>;
  /** Every step that a node has come to, in order. */
  reached: readonly { readonly node: string; readonly step: string }[];
}

export function initialState(settings: Partial<MachineState>): MachineState {
  return {
    version: "1.2.2",
    macos: 26,
    service: "running",
    delays: { bootMs: 1_500, pullMs: 3_000, stopMs: 200 },
    origin: 0,
    containers: {},
    volumes: {},
    networks: ["default"],
    images: [],
    published: [],
    nextAddress: 2,
    changes: 0,
    faults: [],
    steps: {},
    reached: [],
    ...settings,
  };
}

const [GATEWAY, LAST] = [1, 254];

/** The next address of the default network. Never the one that a container had at its last start. */
export function takeAddress(state: MachineState): string {
  const taken = new Set(
    Object.values(state.containers).map(({ sandbox, ipv4 }) => (sandbox === undefined ? "" : ipv4)),
  );
  for (;;) {
    const address = `192.168.64.${state.nextAddress}`;
    state.nextAddress = state.nextAddress >= LAST ? GATEWAY + 1 : state.nextAddress + 1;
    if (!taken.has(address)) return address;
  }
}
