import type { BootstrapState, Instance, InstanceStatus, Port } from "@slipway/core";
import { composeId } from "./ids.ts";
import type { WireMachine } from "./wire.ts";

/** A machine of the memory world, with what it shows beyond the contract. */
export interface MemoryInstance extends Instance {
  readonly region: string;
  readonly zone: string;
  readonly spec: string;
  readonly image: string;
  /** The name that the remote identifies it by: `nameFor(owner, key)`. */
  readonly remoteName: string;
  /** The display name that was asked for. */
  readonly name?: string;
  /** The remote's own word for its state. */
  readonly state: string;
  /** Counts the instances that the key has had, from 1. */
  readonly generation: number;
  /** Can it be hibernated? */
  readonly hibernates: boolean;
  readonly bootstrapChecksum?: string;
  readonly ports: readonly Required<Port>[];
  readonly sshKeys: readonly string[];
  readonly volumes: readonly { readonly id: string; readonly mountPath: string }[];
  /** The snapshot that it was made from. */
  readonly fromSnapshot?: string;
  readonly tailscale?: { readonly hostname: string; readonly tags: readonly string[] };
  readonly network?: {
    readonly id?: string;
    readonly subnet?: string;
    readonly firewalls: readonly string[];
    readonly isolated: boolean;
  };
}

const STATUSES: ReadonlyMap<string, InstanceStatus> = new Map([
  ["draft", "pending"],
  ["building", "pending"],
  ["waking", "pending"],
  ["active", "running"],
  ["halting", "stopping"],
  ["suspending", "stopping"],
  ["halted", "stopped"],
  ["suspended", "hibernated"],
  ["deleting", "terminating"],
  ["deleted", "terminated"],
  ["failed", "error"],
]);

/** A state that the table does not know is `unknown`, never a failure. */
export function statusOf(state: string): InstanceStatus {
  return STATUSES.get(state) ?? "unknown";
}

/** The remote's machine as an instance; `asOf` is when the remote was asked. */
export function materialize(machine: WireMachine, provider: string, asOf: string): MemoryInstance {
  const { region, boot, gpu, network, tailnet, reason } = machine;
  const bootstrap = bootstrapOf(boot);
  return {
    id: composeId(machine),
    status: statusOf(machine.state),
    provider,
    nativeId: machine.id,
    key: machine.tag?.key ?? null,
    owner: machine.tag?.owner ?? null,
    ...(reason === null ? {} : { statusReason: { code: reason.code, message: reason.text } }),
    region,
    zone: machine.zone,
    spec: machine.spec,
    image: machine.image,
    resources: {
      cpus: machine.cpus,
      memoryBytes: machine.memoryBytes,
      diskBytes: machine.diskBytes,
      ...(gpu === null ? {} : { gpus: gpu }),
    },
    addresses: {
      ...(machine.publicIp === null ? {} : { publicIpv4: machine.publicIp }),
      ...(machine.privateIp === null ? {} : { privateIpv4: machine.privateIp }),
    },
    ...(machine.publicIp === null ? {} : { ssh: { host: machine.publicIp, port: 22, user: "mem" } }),
    isSpot: machine.spot,
    ...(bootstrap === null ? {} : { bootstrap }),
    labels: machine.labels,
    ...(machine.usdPerHour === null
      ? {}
      : { price: { usdPerHour: machine.usdPerHour, per: "instance", asOf, source: "live" } as const }),
    createdAt: new Date(machine.createdAt).toISOString(),
    ...(machine.expiresAt === null ? {} : { expiresAt: machine.expiresAt }),
    ...(machine.terminateBy === null ? {} : { terminateBy: { at: machine.terminateBy, by: "remote" } as const }),
    remoteName: machine.name,
    ...(machine.title === null ? {} : { name: machine.title }),
    state: machine.state,
    generation: machine.generation,
    hibernates: machine.suspendable,
    ...(boot === null ? {} : { bootstrapChecksum: boot.checksum }),
    ports: machine.ports.map(({ port, protocol, hostPort }) => ({
      port,
      protocol: protocol === "udp" ? "udp" : "tcp",
      hostPort,
    })),
    sshKeys: machine.sshKeys,
    volumes: machine.disks.map(({ id, path }) => ({ id: composeId({ region, id }), mountPath: path })),
    ...(machine.capture === null ? {} : { fromSnapshot: composeId({ region, id: machine.capture }) }),
    ...(tailnet === null ? {} : { tailscale: tailnet }),
    ...(network === null
      ? {}
      : {
          network: {
            ...(network.id === null ? {} : { id: network.id }),
            ...(network.subnet === null ? {} : { subnet: network.subnet }),
            firewalls: network.firewalls,
            isolated: network.isolated,
          },
        }),
  };
}

const PHASES: ReadonlyMap<string, BootstrapState["state"]> = new Map([
  ["queued", "pending"],
  ["executing", "running"],
]);

function bootstrapOf(boot: WireMachine["boot"]): BootstrapState | null {
  if (boot === null) return null;
  if (boot.phase !== "done" || boot.exitCode === null) return { state: PHASES.get(boot.phase) ?? "unknown" };
  return { state: boot.exitCode === 0 ? "succeeded" : "failed", exitCode: boot.exitCode };
}
