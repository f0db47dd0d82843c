import { z } from "zod";
import { ok, refuse, refuseField, refuseMissing } from "./answers.ts";
import type { Handler, WireRequest } from "./handler.ts";
import { listEverywhere, listZone } from "./scopes.ts";
import { shownOperation, time, url } from "./views.ts";
import { isVisible, newNumber, newOperation, type StoredDisk, type StoredInstance, type World } from "./world.ts";

// Disks of their own, and those that instances were made with, which go with their instance.

const body = z.strictObject({
  name: z.string().regex(/^[a-z]([-a-z0-9]{0,61}[a-z0-9])?$/),
  sizeGb: z.string().regex(/^\d+$/),
  description: z.string().optional(),
  type: z.string().optional(),
  labels: z.record(z.string().regex(/^[a-z][-_a-z0-9]{0,62}$/), z.string().regex(/^[-_a-z0-9]{0,63}$/)).optional(),
});
const CREATING_MS = 2_000;
const DELETING_MS = 1_000;

type View = Readonly<Record<string, unknown>>;

function isDiskThere({ createdAt, goneAt }: StoredDisk, moment: number): boolean {
  return createdAt <= moment && moment < goneAt;
}

function usersOf(world: World, { zone, name }: Pick<StoredDisk, "zone" | "name">, moment: number): StoredInstance[] {
  return [...world.instances.values()].filter(
    (one) =>
      one.zone === zone &&
      one.createdAt <= moment &&
      moment < one.goneAt &&
      one.request.body.disks.some(({ source }) => source?.endsWith(`/zones/${zone}/disks/${name}`) === true),
  );
}

function diskIn(world: World, zone: string, nameOrNumber: string): StoredDisk | undefined {
  const now = world.clock.now();
  return [...world.disks.values()].find(
    (one) => one.zone === zone && (one.name === nameOrNumber || one.id === nameOrNumber) && isDiskThere(one, now),
  );
}

/** Refuses an instance whose disks are not there, or are another's. */
export function checkSources(world: World, zone: string, sources: readonly (string | undefined)[]): void {
  for (const source of sources) {
    if (source === undefined) continue;
    const name = source.slice(source.lastIndexOf("/") + 1);
    const found = source.includes(`zones/${zone}/`) ? diskIn(world, zone, name) : undefined;
    if (found === undefined) return refuseMissing(source);
    if (usersOf(world, found, world.clock.now()).length > 0) refuseUsed(source);
  }
}

function refuseUsed(path: string): never {
  return refuse(400, "resourceInUseByAnotherResource", `The disk resource '${path}' is already being used.`);
}

function answered(world: World, request: WireRequest, type: string, disk: StoredDisk, lastsMs: number) {
  const requestId = request.query.get("requestId") ?? undefined;
  const about = { zone: disk.zone, type, targetId: disk.id, targetName: disk.name, requestId, lastsMs };
  world.changes += 1;
  return ok(shownOperation(world, newOperation(world, { ...about, kind: "disks" }), world.clock.now()));
}

export const insertDisk: Handler = (world, request) => {
  const { zone } = request;
  const parsed = body.safeParse(request.body);
  if (!parsed.success) return refuseField("resource", parsed.error.issues[0]?.message ?? "unknown");
  const { name, sizeGb, labels = {}, description } = parsed.data;
  if (Number(sizeGb) < 10) refuseField("resource.sizeGb", "at least 10.");
  const now = world.clock.now();
  const isTaken =
    diskIn(world, zone, name) !== undefined || bootDisks(world, now).some(({ view }) => view["name"] === name);
  if (isTaken) {
    refuse(
      409,
      "alreadyExists",
      `The resource 'projects/${world.settings.project}/zones/${zone}/disks/${name}' already exists`,
    );
  }
  const id = newNumber(world);
  const more = { createdAt: now, readyAt: now + CREATING_MS, goneAt: Number.POSITIVE_INFINITY };
  const disk: StoredDisk = { id, name, zone, sizeGb, labels, description, ...more };
  world.disks.set(id, disk);
  return answered(world, request, "insert", disk, CREATING_MS);
};

export const readDisk: Handler = (world, { zone, name }) => {
  const found = diskIn(world, zone, name);
  if (found !== undefined) return ok(shownDisk(world, found, world.clock.now()));
  return refuseMissing(`projects/${world.settings.project}/zones/${zone}/disks/${name}`);
};

export const deleteDisk: Handler = (world, request) => {
  const { zone, name } = request;
  const found = diskIn(world, zone, name);
  const path = `projects/${world.settings.project}/zones/${zone}/disks/${name}`;
  if (found === undefined) return refuseMissing(path);
  const now = world.clock.now();
  if (usersOf(world, found, now).length > 0) refuseUsed(path);
  found.goneAt = now + DELETING_MS;
  return answered(world, request, "delete", found, DELETING_MS);
};

export const listDisks: Handler = (world, request) => {
  const views = disksAt(world, request.seenAt).filter(({ zone }) => zone === request.zone);
  return listZone(world, request, { kind: "compute#diskList", of: "disks", views: views.map(({ view }) => view) });
};

export const listAllDisks: Handler = (world, request) =>
  listEverywhere(world, request, {
    kind: "compute#diskAggregatedList",
    of: "disks",
    views: disksAt(world, request.seenAt),
  });

function disksAt(world: World, moment: number): readonly { readonly zone: string; readonly view: View }[] {
  const own = [...world.disks.values()].filter((one) => isDiskThere(one, moment));
  return [...bootDisks(world, moment), ...own.map((one) => ({ zone: one.zone, view: shownDisk(world, one, moment) }))];
}

function shownDisk(world: World, one: StoredDisk, moment: number): View {
  const zone = url(world, `zones/${one.zone}`);
  const users = usersOf(world, one, moment);
  return {
    kind: "compute#disk",
    id: one.id,
    creationTimestamp: time(one.createdAt),
    name: one.name,
    ...(one.description === undefined ? {} : { description: one.description }),
    sizeGb: one.sizeGb,
    zone,
    status: moment < one.readyAt ? "CREATING" : "READY",
    type: `${zone}/diskTypes/pd-standard`,
    labels: one.labels,
    ...(users.length === 0 ? {} : { users: users.map(({ name }) => `${zone}/instances/${name}`) }),
    physicalBlockSizeBytes: "4096",
    selfLink: `${zone}/disks/${one.name}`,
  };
}

function bootDisks(world: World, moment: number): readonly { readonly zone: string; readonly view: View }[] {
  return [...world.instances.values()]
    .filter((one) => isVisible(one, moment))
    .flatMap((one) => shownBootDisks(world, one).map((view) => ({ zone: one.zone, view })));
}

function shownBootDisks(world: World, one: StoredInstance): readonly Readonly<Record<string, unknown>>[] {
  const zone = url(world, `zones/${one.zone}`);
  return one.request.body.disks.flatMap(({ initializeParams }) => {
    if (initializeParams === undefined) return [];
    const { diskName: name = one.name, diskSizeGb: sizeGb = "10", labels, sourceImage } = initializeParams;
    return [
      {
        kind: "compute#disk",
        // Of the same length as the instance's, and another.
        id: `9${one.id.slice(1)}`,
        creationTimestamp: time(one.createdAt),
        name,
        sizeGb,
        zone,
        status: "READY",
        type: `${zone}/diskTypes/pd-standard`,
        ...(sourceImage === undefined ? {} : { sourceImage: `https://www.googleapis.com/compute/v1/${sourceImage}` }),
        ...(labels === undefined ? {} : { labels }),
        users: [`${zone}/instances/${one.name}`],
        physicalBlockSizeBytes: "4096",
        selfLink: `${zone}/disks/${name}`,
      },
    ];
  });
}
