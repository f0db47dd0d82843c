import { digestOf } from "./image-reference.ts";
import { isoDate } from "./json.ts";
import type { ContainerRecord, EmulatedVersion, MachineState, Mounted } from "./state.ts";

const APPLE_EPOCH_MS = Date.parse("2001-01-01T00:00:00Z");

/** A container as `list` and `inspect` show it, in the shape of the version. */
export function containerElement(record: ContainerRecord, state: MachineState): object {
  const running = record.sandbox !== undefined;
  const networks = running && record.ipv4 !== undefined ? [attachment(record, record.ipv4, state)] : [];
  const configuration = configurationOf(record, state.version);
  if (state.version === "0.12.3") {
    return {
      configuration,
      networks,
      status: running ? "running" : "stopped",
      startedDate: record.startedAt === undefined ? undefined : (record.startedAt - APPLE_EPOCH_MS) / 1000,
    };
  }
  return {
    id: record.id,
    configuration,
    status: {
      state: running ? "running" : "stopped",
      networks,
      startedDate: record.startedAt === undefined ? undefined : isoDate(record.startedAt),
    },
  };
}

function configurationOf(record: ContainerRecord, version: EmulatedVersion): object {
  const [executable = "", ...argv] = record.argv;
  const old = version === "0.12.3";
  return {
    id: record.id,
    image: {
      reference: record.image,
      descriptor: {
        digest: `sha256:${digestOf(record.image)}`,
        mediaType: "application/vnd.oci.image.index.v1+json",
        size: 9218,
      },
    },
    mounts: record.mounts.map(mountElement),
    publishedPorts: record.ports.map((port) => ({ ...port, count: 1 })),
    publishedSockets: [],
    labels: record.labels,
    sysctls: {},
    networks:
      record.network === "none" ? [] : [{ network: record.network, options: { hostname: record.id, mtu: 1280 } }],
    dns: { nameservers: [], options: [], searchDomains: [] },
    rosetta: false,
    virtualization: false,
    ssh: false,
    readOnly: false,
    useInit: record.useInit,
    initProcess: {
      executable,
      arguments: argv,
      environment: record.environment,
      workingDirectory: "/",
      terminal: false,
      user: { id: { uid: 0, gid: 0 } },
      supplementalGroups: [],
      rlimits: [],
    },
    platform: { os: "linux", architecture: "arm64" },
    resources: { cpus: record.cpus, memoryInBytes: record.memoryBytes, ...(old ? {} : { cpuOverhead: 1 }) },
    runtimeHandler: "container-runtime-linux",
    capAdd: record.capAdd,
    capDrop: [],
    creationDate: old ? undefined : isoDate(record.createdAt),
  };
}

function mountElement({ kind, source, destination }: Mounted): object {
  if (kind === "tmpfs") return { type: { tmpfs: {} }, source: "tmpfs", destination, options: [] };
  if (kind === "bind") return { type: { virtiofs: {} }, source, destination, options: [] };
  const volume = { name: source, format: "ext4", cache: { on: {} }, sync: { fsync: {} } };
  return { type: { volume }, source: `/volumes/${source}/volume.img`, destination, options: [] };
}

function attachment(record: ContainerRecord, address: string, { version, macos }: MachineState): object {
  const named = version === "1.2.2" || version === "1.4.1";
  return {
    network: record.network,
    hostname: record.id,
    ipv4Address: `${address}/24`,
    ipv4Gateway: "192.168.64.1",
    macAddress: `f2:35:48:88:75:${address.split(".").at(-1)?.padStart(3, "0").slice(1)}`,
    mtu: 1280,
    variant: named ? (macos === 26 ? "reserved" : "allocationOnly") : undefined,
  };
}
