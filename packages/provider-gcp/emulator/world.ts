import type { Clock } from "@slipway/core";
import { type SeededRandom, seededRandom } from "@slipway/provider-kit/emulator";
import { EMULATED_ZONES, regionOfZone } from "./catalogue.ts";
import type { InsertRequest } from "./requests.ts";
import type { ResolvedSettings } from "./settings.ts";

export interface StatusEvent {
  readonly at: number;
  readonly status: string;
  /** Of a shutdown: what it leads to. */
  readonly target?: "DELETED" | "STOPPED";
  /** Of one that a time limit brings: the time that it was planned for. */
  readonly planned?: number;
}

export interface StoredInstance {
  readonly id: string;
  readonly name: string;
  readonly zone: string;
  readonly request: InsertRequest;
  readonly createdAt: number;
  readonly visibleAt: number;
  readonly address: number;
  /** The public address, where the request wants one; null where nothing is to be reached. */
  readonly natIp: string | null;
  /** What becomes of it, also in the future; in order. */
  events: readonly StatusEvent[];
  /** From then on it is a 404. */
  goneAt: number;
  /** Until then nothing else gets its name. */
  nameHeldUntil: number;
}

export interface StoredDisk {
  readonly id: string;
  readonly name: string;
  readonly zone: string;
  readonly sizeGb: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly description: string | undefined;
  readonly createdAt: number;
  readonly readyAt: number;
  goneAt: number;
}

export interface StoredImage {
  readonly id: string;
  readonly name: string;
  readonly description: string | undefined;
  readonly labels: Readonly<Record<string, string>>;
  readonly source: string;
  /** Of the instance that it was taken from. */
  readonly of: InsertRequest["body"];
  readonly createdAt: number;
  readonly readyAt: number;
  goneAt: number;
}

export interface OperationError {
  readonly code: string;
  readonly message: string;
  readonly httpStatus: number;
  readonly httpMessage: string;
  readonly details?: readonly object[];
}

export interface StoredOperation {
  readonly id: string;
  readonly name: string;
  readonly zone: string;
  readonly type: string;
  readonly targetId: string;
  readonly targetName: string;
  readonly requestId: string | undefined;
  /** Of what; absent: instances. */
  readonly kind?: "disks" | "machineImages";
  readonly insertedAt: number;
  readonly doneAt: number;
  error: OperationError | undefined;
}

/** All that the remote holds. */
export interface World {
  readonly settings: ResolvedSettings;
  readonly clock: Clock;
  readonly random: SeededRandom;
  readonly instances: Map<string, StoredInstance>;
  readonly disks: Map<string, StoredDisk>;
  readonly images: Map<string, StoredImage>;
  readonly operations: Map<string, StoredOperation>;
  /** By the number of an instance and a path. */
  readonly guestAttributes: Map<string, string>;
  /** Request ids, with the operation that each was answered with. */
  readonly requestIds: Map<string, { readonly operation: string; readonly until: number }>;
  /** By machine type and zone; absent: `settings.capacity`. */
  readonly capacity: Map<string, number>;
  /** Zones that cannot be read. */
  readonly unreachable: Set<string>;
  changes: number;
}

export function newWorld(settings: ResolvedSettings, clock: Clock): World {
  return {
    settings,
    clock,
    random: seededRandom(settings.seed),
    instances: new Map(),
    disks: new Map(),
    images: new Map(),
    operations: new Map(),
    guestAttributes: new Map(),
    requestIds: new Map(),
    capacity: new Map(),
    unreachable: new Set(),
    changes: 0,
  };
}

/** A decimal number of 19 digits, as Google's ids are: too large for a JavaScript number. */
export function newNumber({ random }: World): string {
  return `${1 + random.whole(8)}${Array.from({ length: 18 }, () => random.whole(10)).join("")}`;
}

export function eventAt({ events }: StoredInstance, moment: number): StatusEvent | undefined {
  return events.findLast(({ at }) => at <= moment);
}

export function statusAt(instance: StoredInstance, moment: number): string {
  return eventAt(instance, moment)?.status ?? "PROVISIONING";
}

/** Can it be read? */
export function isVisible({ visibleAt, goneAt }: StoredInstance, moment: number): boolean {
  return visibleAt <= moment && moment < goneAt;
}

/** Is it there, whether or not it can be read yet? */
export function isThere({ createdAt, goneAt }: StoredInstance, moment: number): boolean {
  return createdAt <= moment && moment < goneAt;
}

export function isBeingDeleted(instance: StoredInstance, moment: number): boolean {
  return eventAt(instance, moment)?.target === "DELETED";
}

/** By name or by number. */
export function findIn(world: World, zone: string, nameOrNumber: string): StoredInstance | undefined {
  const now = world.clock.now();
  return [...world.instances.values()].find(
    (one) => one.zone === zone && (one.name === nameOrNumber || one.id === nameOrNumber) && isVisible(one, now),
  );
}

/** Another status from now on, and nothing after it but what is given. */
export function turn(
  world: World,
  instance: StoredInstance,
  ...then: readonly { readonly inMs: number; readonly status: string; readonly target?: "DELETED" | "STOPPED" }[]
): void {
  const now = world.clock.now();
  // With whatever else becomes of an instance its time limit is forgotten.
  if (instance.events.some(({ at, planned }) => planned !== undefined && at > now)) {
    instance.goneAt = Number.POSITIVE_INFINITY;
    instance.nameHeldUntil = Number.POSITIVE_INFINITY;
  }
  instance.events = [
    ...instance.events.filter(({ at }) => at < now),
    ...then.map(({ inMs, ...event }) => ({ at: now + inMs, ...event })),
  ];
  world.changes += 1;
  followTurn(world, instance.id, then[0]);
}

/** What a change that begins now means for the machine. A suspended one keeps no memory: it boots again. */
function followTurn({ settings }: World, id: string, step: Omit<StatusEvent, "at"> | undefined): void {
  const { machines } = settings;
  if (machines === null || step === undefined) return;
  const work = actionFor(step, machines)?.(id);
  // What a machine does not do is its client's to see, and the inspector's.
  work?.catch(() => undefined);
}

function actionFor(
  { status, target }: Omit<StatusEvent, "at">,
  machines: NonNullable<ResolvedSettings["machines"]>,
): ((id: string) => Promise<void>) | null {
  if (target === "DELETED") return machines.end;
  if (status === "STOPPING" || status === "SUSPENDING" || status === "TERMINATED") return machines.stop;
  return status === "STAGING" ? machines.start : null;
}

/** Of the loopback where a machine stands behind it. */
export function newNatIp({ settings, instances }: World): string | null {
  if (settings.machines !== null) return settings.machines.newAddress();
  const number = instances.size + 1;
  return settings.isReachable ? `203.0.${number >> 8}.${number & 255}` : null;
}

export function newOperation(
  world: World,
  about: Pick<StoredOperation, "zone" | "type" | "targetId" | "targetName" | "requestId" | "kind"> & {
    readonly lastsMs: number;
  },
): StoredOperation {
  const { lastsMs, ...rest } = about;
  const now = world.clock.now();
  const id = newNumber(world);
  const operation = {
    ...rest,
    id,
    name: `operation-${Math.trunc(now)}-${id.slice(0, 13)}`,
    insertedAt: now,
    doneAt: now + lastsMs,
    error: undefined,
  };
  world.operations.set(operation.name, operation);
  if (about.requestId !== undefined) {
    world.requestIds.set(about.requestId, { operation: operation.name, until: now + world.settings.requestIdMs });
  }
  return operation;
}

/** The operation that a request id was answered with before, as long as it is remembered. */
export function rememberedOperation(world: World, requestId: string | undefined): StoredOperation | undefined {
  const held = requestId === undefined ? undefined : world.requestIds.get(requestId);
  return held === undefined || held.until <= world.clock.now() ? undefined : world.operations.get(held.operation);
}

export function freeAt(world: World, type: string, zone: string): number {
  const now = world.clock.now();
  const there = [...world.instances.values()].filter(
    (one) => one.zone === zone && one.request.machineTypeName === type && isThere(one, now),
  ).length;
  return (world.capacity.get(`${type} ${zone}`) ?? world.settings.capacity) - there;
}

export function countIn(world: World, region: string): number {
  const now = world.clock.now();
  return [...world.instances.values()].filter((one) => regionOfZone(one.zone) === region && isThere(one, now)).length;
}

export function isZone(name: string): boolean {
  return EMULATED_ZONES.includes(name);
}
