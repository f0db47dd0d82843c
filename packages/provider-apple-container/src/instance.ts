import type { Instance, InstanceAddresses, InstanceResources } from "@slipway/core";
import { type InstanceBase, present, type StatusTable, statusTable } from "@slipway/provider-kit/driver";
import type { Publish } from "./run-arguments.ts";
import type { WireContainer, WireMount } from "./wire.ts";

/** An instance on this Mac, with what it shows beyond the contract. */
export interface AppleContainerInstance extends Instance {
  /** The command's own word for its state. */
  readonly state: string;
  /** The display name that was asked for. */
  readonly name?: string;
  /** Where its ports appear on 127.0.0.1. */
  readonly ports: readonly Publish[];
  readonly volumes: readonly { readonly id: string; readonly mountPath: string }[];
  /** Of the options that it was spawned with; empty where it has none. */
  readonly specHash: string;
}

// Nothing tells how the first process ended, so an exit is `stopped`, never `error`.
export const statusOf: StatusTable["statusOf"] = statusTable({
  running: "running",
  stopped: "stopped",
  stopping: "stopping",
}).statusOf;

const NOT_STARTED = {
  code: "not-started",
  message:
    "container knows of no start: its spawn was cut off, or the service was restarted since it ran; a spawn of the same key starts it",
};

export function toInstance(wire: WireContainer, shared: InstanceBase): AppleContainerInstance {
  // A container's name at the service is its native id already.
  const { remoteName: _nativeId, ...base } = shared;
  const { configuration, status } = wire;
  const isRunning = status.state === "running";
  return {
    ...base,
    state: status.state,
    ...present({
      statusReason: isHalfMade(wire) ? NOT_STARTED : undefined,
      image: configuration.image?.reference,
      resources: resourcesOf(wire),
    }),
    // They are another at every start, and stand in the answer only while it runs.
    addresses: isRunning ? addressesOf(wire) : {},
    isSpot: false,
    createdAt: createdAtOf(wire),
    ports: configuration.publishedPorts.map(({ hostPort, containerPort, proto }) => ({
      port: containerPort,
      hostPort,
      protocol: proto === "udp" ? "udp" : "tcp",
    })),
    volumes: volumesOf(wire).map(({ name, mountPath }) => ({ id: name, mountPath })),
  };
}

/** Created and never started, as far as the service knows. */
export function isHalfMade({ status }: WireContainer): boolean {
  return status.state === "stopped" && status.startedDate === undefined;
}

export function addressesOf({ status }: WireContainer): InstanceAddresses {
  const [attached] = status.networks;
  return present({ privateIpv4: bare(attached?.ipv4Address), ipv6: bare(attached?.ipv6Address) });
}

/** `192.168.64.3/24` without the length of its prefix. */
function bare(address: string | undefined): string | undefined {
  const [host] = (address ?? "").split("/");
  return host === "" ? undefined : host;
}

function resourcesOf({ configuration }: WireContainer): InstanceResources | undefined {
  const { cpus, memoryInBytes } = configuration.resources ?? {};
  if (cpus === undefined && memoryInBytes === undefined) return undefined;
  return present({ cpus, memoryBytes: memoryInBytes });
}

export function createdAtOf({ configuration }: WireContainer): string | null {
  return timeOf(configuration.creationDate);
}

/** Of containers made before 1.0.0 it says 1970. */
export function timeOf(date: string | undefined): string | null {
  const at = date === undefined ? Number.NaN : Date.parse(date);
  return Number.isNaN(at) || at <= 0 ? null : new Date(at).toISOString();
}

/** The named volumes that a container has. */
export function volumesOf({
  configuration,
}: WireContainer): readonly { readonly name: string; readonly mountPath: string }[] {
  return configuration.mounts.flatMap((mount) => {
    const name = volumeNameOf(mount);
    return name === undefined ? [] : [{ name, mountPath: mount.destination ?? "" }];
  });
}

function volumeNameOf({ type }: WireMount): string | undefined {
  const volume: unknown = type?.["volume"];
  const name: unknown = typeof volume === "object" && volume !== null && "name" in volume ? volume.name : undefined;
  return typeof name === "string" ? name : undefined;
}
