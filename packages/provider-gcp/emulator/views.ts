import { EMULATED_REGIONS, EMULATED_ZONES, regionOfZone } from "./catalogue.ts";
import type { InsertBody } from "./requests.ts";
import { countIn, eventAt, type StoredInstance, type StoredOperation, statusAt, type World } from "./world.ts";

// How the API shows what it holds, as it was at a moment.

const ROOT = "https://www.googleapis.com/compute/v1/";

export function url(world: World, path: string): string {
  return `${ROOT}projects/${world.settings.project}/${path}`;
}

// Google writes times with an offset, and not in UTC.
export function time(ms: number): string {
  return new Date(ms - 8 * 3_600_000).toISOString().replace("Z", "-08:00");
}

export function shownInstance(world: World, one: StoredInstance, moment: number): Readonly<Record<string, unknown>> {
  const { body, machineTypeName, isSpot } = one.request;
  const event = eventAt(one, moment);
  const planned = one.events.find((each) => each.planned !== undefined && each.at > moment)?.planned;
  const zone = url(world, `zones/${one.zone}`);
  const running = one.events.find(({ status }) => status === "RUNNING");
  return {
    kind: "compute#instance",
    id: one.id,
    creationTimestamp: time(one.createdAt),
    name: one.name,
    ...(body.description === undefined ? {} : { description: body.description }),
    machineType: `${zone}/machineTypes/${machineTypeName}`,
    status: statusAt(one, moment),
    zone,
    canIpForward: false,
    deletionProtection: body.deletionProtection ?? false,
    networkInterfaces: body.networkInterfaces.map(({ network, subnetwork, accessConfigs }, i) => ({
      kind: "compute#networkInterface",
      name: `nic${i}`,
      network: url(world, network?.replace(/^projects\/[^/]+\//, "") ?? "global/networks/default"),
      ...(subnetwork === undefined ? {} : { subnetwork: url(world, subnetwork) }),
      networkIP: `10.128.${one.address >> 8}.${one.address & 255}`,
      ...(accessConfigs === undefined
        ? {}
        : {
            accessConfigs: accessConfigs.map(({ name }) => ({
              kind: "compute#accessConfig",
              type: "ONE_TO_ONE_NAT",
              name: name ?? "External NAT",
              ...(statusAt(one, moment) === "RUNNING" && one.natIp !== null ? { natIP: one.natIp } : {}),
            })),
          }),
    })),
    disks: body.disks.map((disk, index) => {
      const name = disk.initializeParams?.diskName ?? one.name;
      return {
        kind: "compute#attachedDisk",
        index,
        boot: disk.boot ?? false,
        autoDelete: disk.autoDelete ?? false,
        mode: "READ_WRITE",
        type: "PERSISTENT",
        deviceName: disk.deviceName ?? `persistent-disk-${index}`,
        source: disk.source ?? `${zone}/disks/${name}`,
        diskSizeGb: disk.initializeParams?.diskSizeGb ?? disk.diskSizeGb ?? "10",
      };
    }),
    metadata: { kind: "compute#metadata", fingerprint: "abcdABCD1234=", items: body.metadata?.items ?? [] },
    tags: { fingerprint: "abcdABCD1234=", ...(body.tags?.items === undefined ? {} : { items: body.tags.items }) },
    labels: body.labels ?? {},
    labelFingerprint: "abcdABCD1234=",
    fingerprint: "abcdABCD1234=",
    scheduling: {
      automaticRestart: body.scheduling?.automaticRestart ?? true,
      onHostMaintenance: body.scheduling?.onHostMaintenance ?? (isSpot ? "TERMINATE" : "MIGRATE"),
      preemptible: isSpot,
      provisioningModel: isSpot ? "SPOT" : "STANDARD",
      ...(isSpot ? { instanceTerminationAction: "STOP" } : {}),
      ...limitOf(body),
    },
    ...(body.guestAccelerators === undefined
      ? {}
      : {
          guestAccelerators: body.guestAccelerators.map(({ acceleratorType, acceleratorCount }) => ({
            acceleratorType: url(world, acceleratorType),
            acceleratorCount,
          })),
        }),
    ...(body.serviceAccounts === undefined ? {} : { serviceAccounts: body.serviceAccounts }),
    ...(running === undefined || running.at > moment ? {} : { lastStartTimestamp: time(running.at) }),
    ...(event?.target === undefined && planned === undefined
      ? {}
      : {
          resourceStatus: {
            ...(event?.target === undefined
              ? {}
              : { shutdownDetails: { targetState: event.target, stopState: "STOPPING" } }),
            ...(planned === undefined ? {} : { scheduling: { terminationTimestamp: time(planned) } }),
          },
        }),
    startRestricted: false,
    selfLink: `${zone}/instances/${one.name}`,
  };
}

/** As it was given; the time is forgotten elsewhere, once the instance is stopped. */
function limitOf({
  scheduling: { instanceTerminationAction: action, terminationTime, maxRunDuration } = {},
}: InsertBody) {
  return {
    ...(action === undefined ? {} : { instanceTerminationAction: action }),
    ...(terminationTime === undefined ? {} : { terminationTime: time(Date.parse(terminationTime)) }),
    ...(maxRunDuration === undefined ? {} : { maxRunDuration }),
  };
}

export function shownOperation(world: World, one: StoredOperation, moment: number): Readonly<Record<string, unknown>> {
  const zone = url(world, one.zone === "" ? "global" : `zones/${one.zone}`);
  const startsAt = Math.min(one.insertedAt + world.settings.pendingMs, one.doneAt);
  const status = moment >= one.doneAt ? "DONE" : moment >= startsAt ? "RUNNING" : "PENDING";
  const error = status === "DONE" ? one.error : undefined;
  return {
    kind: "compute#operation",
    id: one.id,
    name: one.name,
    ...(one.requestId === undefined ? {} : { clientOperationId: one.requestId }),
    ...(one.zone === "" ? {} : { zone }),
    operationType: one.type,
    targetLink: `${zone}/${one.kind ?? "instances"}/${one.targetName}`,
    targetId: one.targetId,
    status,
    user: "emulator@slipway.example",
    progress: status === "DONE" ? 100 : 0,
    insertTime: time(one.insertedAt),
    ...(status === "PENDING" ? {} : { startTime: time(startsAt) }),
    ...(status === "DONE" ? { endTime: time(one.doneAt) } : {}),
    ...(error === undefined
      ? {}
      : {
          error: {
            errors: [
              {
                code: error.code,
                message: error.message,
                ...(error.details === undefined ? {} : { errorDetails: error.details }),
              },
            ],
          },
          httpErrorStatusCode: error.httpStatus,
          httpErrorMessage: error.httpMessage,
        }),
    selfLink: `${zone}/operations/${one.name}`,
  };
}

export function shownZone(world: World, name: string): Readonly<Record<string, unknown>> {
  return {
    kind: "compute#zone",
    id: String(2_000 + name.length * 100 + name.charCodeAt(name.length - 1)),
    creationTimestamp: time(0),
    name,
    description: name,
    status: "UP",
    region: url(world, `regions/${regionOfZone(name)}`),
    selfLink: url(world, `zones/${name}`),
  };
}

export function shownRegion(world: World, name: string): Readonly<Record<string, unknown>> {
  const zones = EMULATED_ZONES.filter((zone) => regionOfZone(zone) === name);
  return {
    kind: "compute#region",
    id: String(1_000 + EMULATED_REGIONS.indexOf(name)),
    creationTimestamp: time(0),
    name,
    description: name,
    status: "UP",
    zones: zones.map((zone) => url(world, `zones/${zone}`)),
    quotas: [{ metric: "INSTANCES", limit: world.settings.instanceQuota, usage: countIn(world, name) }],
    selfLink: url(world, `regions/${name}`),
  };
}
