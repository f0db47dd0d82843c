import { ok, refuse, refuseMissing } from "./answers.ts";
import { regionOfZone } from "./catalogue.ts";
import { checkSources } from "./disks.ts";
import { type Handler, type WireRequest } from "./handler.ts";
import { readyImage } from "./images.ts";
import { createMachine, followLimit } from "./machines.ts";
import { alreadyExists, deletedMeanwhile, operationErrorOf, quota, stockout } from "./operation-errors.ts";
import { insertRequest } from "./requests.ts";
import { eventsOfLimit, LATEST_MS, timeLimit } from "./run-limit.ts";
import { listEverywhere, listZone } from "./scopes.ts";
import { shownInstance, shownOperation } from "./views.ts";
import {
  countIn,
  findIn,
  freeAt,
  isBeingDeleted,
  isThere,
  isVisible,
  newNatIp,
  newNumber,
  newOperation,
  type OperationError,
  rememberedOperation,
  type StoredInstance,
  turn,
  type World,
} from "./world.ts";

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;

function requestIdOf({ query }: WireRequest): string | undefined {
  const id = query.get("requestId") ?? undefined;
  if (id !== undefined && !UUID.test(id)) refuse(400, "invalid", `Invalid value for field 'requestId': '${id}'.`);
  return id;
}

export const insertInstance: Handler = (world, request) => {
  const { zone, body, rowOfOperation } = request;
  const now = world.clock.now();
  const requestId = requestIdOf(request);
  const before = rememberedOperation(world, requestId);
  if (before !== undefined) return ok(shownOperation(world, before, now));
  const image = request.query.get("sourceMachineImage");
  // What the request says counts; the rest is the image's.
  const whole = image === null || typeof body !== "object" ? body : { ...readyImage(world, image).of, ...body };
  const wanted = insertRequest(whole, zone, world.settings.project);
  const { name, disks } = wanted.body;
  checkSources(
    world,
    zone,
    disks.map(({ source }) => source),
  );
  const holder = [...world.instances.values()].find(
    (one) => one.zone === zone && one.name === name && one.nameHeldUntil > now,
  );
  const path = `projects/${world.settings.project}/zones/${zone}/instances/${name}`;
  if (holder !== undefined && !world.settings.conflictInOperation) {
    refuse(409, "alreadyExists", `The resource '${path}' already exists`);
  }
  const { insertMs, failMs, visibleMs, deleteMs } = world.settings;
  const planned = timeLimit(wanted.body, now, now + insertMs);
  const error = holder === undefined ? failureOf(world, zone, wanted, rowOfOperation) : alreadyExists(path);
  const id = newNumber(world);
  const lastsMs = error === undefined ? insertMs : failMs;
  const operation = newOperation(world, { zone, type: "insert", targetId: id, targetName: name, requestId, lastsMs });
  operation.error = error;
  if (holder !== undefined) return ok(shownOperation(world, operation, now));
  const stays = error === undefined || error.code === "PREEMPTED";
  const limited =
    planned === null || error !== undefined ? [] : eventsOfLimit(wanted.body, planned, world.random.whole(LATEST_MS));
  const deletedAt = limited.find(({ target }) => target === "DELETED")?.at ?? Number.POSITIVE_INFINITY;
  const endsAt = stays ? deletedAt + deleteMs : now + lastsMs;
  const made: StoredInstance = {
    id,
    name,
    zone,
    request: wanted,
    createdAt: now,
    visibleAt: now + visibleMs,
    address: world.instances.size + 1,
    natIp: newNatIp(world),
    events: [
      { at: now, status: "PROVISIONING" },
      { at: now + lastsMs / 3, status: "STAGING" },
      ...(error === undefined ? [{ at: now + insertMs, status: "RUNNING" }] : []),
      ...(error?.code === "PREEMPTED" ? [{ at: now + failMs, status: "TERMINATED" }] : []),
      ...limited,
    ],
    goneAt: endsAt,
    nameHeldUntil: endsAt,
  };
  world.instances.set(id, made);
  if (error === undefined) {
    world.changes += 1;
    createMachine(world, made);
    followLimit(world, made);
  }
  return ok(shownOperation(world, operation, now));
};

function failureOf(
  world: World,
  zone: string,
  { machineTypeName }: { readonly machineTypeName: string },
  row: string | undefined,
): OperationError | undefined {
  const placed = row === undefined ? undefined : operationErrorOf(row, zone);
  if (placed !== undefined) return placed;
  const region = regionOfZone(zone);
  if (countIn(world, region) >= world.settings.instanceQuota) return quota(region, world.settings.instanceQuota);
  return freeAt(world, machineTypeName, zone) > 0 ? undefined : stockout(zone, machineTypeName);
}

export const readInstance: Handler = (world, { zone, name }) => {
  const found = findIn(world, zone, name);
  if (found === undefined) return refuseMissing(`projects/${world.settings.project}/zones/${zone}/instances/${name}`);
  return ok(shownInstance(world, found, world.clock.now()));
};

export const deleteInstance: Handler = (world, request) => {
  const { zone, name } = request;
  const now = world.clock.now();
  const requestId = requestIdOf(request);
  const before = rememberedOperation(world, requestId);
  if (before !== undefined) return ok(shownOperation(world, before, now));
  const found = findIn(world, zone, name);
  if (found === undefined) return refuseMissing(`projects/${world.settings.project}/zones/${zone}/instances/${name}`);
  if (isBeingDeleted(found, now)) {
    refuse(403, "rateLimitExceeded", "Operation rate exceeded for resource: another operation on it is in progress.");
  }
  if (found.request.body.deletionProtection === true) {
    refuse(
      400,
      "badRequest",
      `Resource cannot be deleted if it's protected against deletion: deletion protection of '${found.name}' is on.`,
    );
  }
  const { deleteMs, goneBeforeDoneMs } = world.settings;
  const about = { zone, targetId: found.id, targetName: found.name, requestId };
  const operation = newOperation(world, { ...about, type: "delete", lastsMs: deleteMs });
  // An insert that is still under way ends with a conflict.
  for (const other of world.operations.values()) {
    if (other.targetId === found.id && other.type === "insert" && other.doneAt > now && other.error === undefined) {
      other.error = deletedMeanwhile(found.name);
    }
  }
  remove(world, found, operation.doneAt, goneBeforeDoneMs);
  return ok(shownOperation(world, operation, now));
};

/** The shutdown, and the end of what goes with it. */
export function remove(world: World, instance: StoredInstance, doneAt: number, goneBeforeDoneMs: number): void {
  turn(world, instance, { inMs: 0, status: "STOPPING", target: "DELETED" });
  instance.goneAt = Math.max(world.clock.now(), doneAt - goneBeforeDoneMs);
  instance.nameHeldUntil = doneAt;
}

/** Newest last, as it was at a moment. */
function visibleIn(world: World, moment: number, zone?: string): readonly StoredInstance[] {
  return [...world.instances.values()].filter(
    (one) => (zone === undefined || one.zone === zone) && isVisible(one, moment),
  );
}

export const listInstances: Handler = (world, request) => {
  const { zone, seenAt } = request;
  const views = visibleIn(world, seenAt, zone).map((one) => shownInstance(world, one, seenAt));
  return listZone(world, request, { kind: "compute#instanceList", of: "instances", views });
};

export const listAllInstances: Handler = (world, request) => {
  const { seenAt } = request;
  const views = visibleIn(world, seenAt).map((one) => ({ zone: one.zone, view: shownInstance(world, one, seenAt) }));
  return listEverywhere(world, request, { kind: "compute#instanceAggregatedList", of: "instances", views });
};

/** For an inspector: does it stand there, whether or not anybody can read it? */
export function isAlive(world: World, instance: StoredInstance): boolean {
  return isThere(instance, world.clock.now());
}
