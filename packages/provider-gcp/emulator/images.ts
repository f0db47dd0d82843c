import { z } from "zod";
import { ok, refuse, refuseField, refuseMissing } from "./answers.ts";
import { filterOf } from "./filter.ts";
import type { Handler } from "./handler.ts";
import { pageOf } from "./paging.ts";
import { shownOperation, time, url } from "./views.ts";
import { findIn, newNumber, newOperation, type StoredImage, type World } from "./world.ts";

const body = z.strictObject({
  name: z.string().regex(/^[a-z]([-a-z0-9]{0,61}[a-z0-9])?$/),
  description: z.string().max(2_048).optional(),
  labels: z.record(z.string().regex(/^[a-z][-_a-z0-9]{0,62}$/), z.string().regex(/^[-_a-z0-9]{0,63}$/)).optional(),
});
const CREATING_MS = 30_000;
const DELETING_MS = 2_000;

function pathOf(world: World, name: string): string {
  return `projects/${world.settings.project}/global/machineImages/${name}`;
}

/** By name or by number. */
function imageIn(world: World, nameOrNumber: string): StoredImage | undefined {
  const now = world.clock.now();
  return [...world.images.values()].find(
    (one) => (one.name === nameOrNumber || one.id === nameOrNumber) && now < one.goneAt,
  );
}

/** The image that an instance is made from: ready, or it is refused. */
export function readyImage(world: World, path: string): StoredImage {
  const found = imageIn(world, path.slice(path.lastIndexOf("/") + 1));
  if (found === undefined) return refuseMissing(path);
  if (world.clock.now() < found.readyAt) refuse(400, "resourceNotReady", `The resource '${path}' is not ready`);
  return found;
}

export const insertImage: Handler = (world, request) => {
  const parsed = body.safeParse(request.body);
  if (!parsed.success) return refuseField("resource", parsed.error.issues[0]?.message ?? "unknown");
  const { name, description, labels = {} } = parsed.data;
  if (imageIn(world, name) !== undefined) {
    refuse(409, "alreadyExists", `The resource '${pathOf(world, name)}' already exists`);
  }
  const source = request.query.get("sourceInstance") ?? "";
  const [, zone = "", instance = ""] = /zones\/([^/]+)\/instances\/([^/]+)$/.exec(source) ?? [];
  const from = findIn(world, zone, instance);
  if (from === undefined) return refuseMissing(source);
  const now = world.clock.now();
  const times = { createdAt: now, readyAt: now + CREATING_MS, goneAt: Number.POSITIVE_INFINITY };
  const image: StoredImage = {
    id: newNumber(world),
    name,
    description,
    labels,
    source,
    of: from.request.body,
    ...times,
  };
  world.images.set(image.id, image);
  return answered(world, request, "insert", image, CREATING_MS);
};

export const deleteImage: Handler = (world, request) => {
  const found = imageIn(world, request.name);
  if (found === undefined) return refuseMissing(pathOf(world, request.name));
  found.goneAt = world.clock.now() + DELETING_MS;
  return answered(world, request, "delete", found, DELETING_MS);
};

export const readImage: Handler = (world, { name }) => {
  const found = imageIn(world, name);
  return found === undefined ? refuseMissing(pathOf(world, name)) : ok(shownImage(world, found));
};

export const listImages: Handler = (world, { query }) => {
  const now = world.clock.now();
  const all = [...world.images.values()].filter(({ goneAt }) => now < goneAt).map((one) => shownImage(world, one));
  const { items, nextPageToken } = pageOf(world, all.filter(filterOf(query.get("filter"))), query);
  return ok({
    kind: "compute#machineImageList",
    id: `projects/${world.settings.project}/global/machineImages`,
    items,
    ...(nextPageToken === undefined ? {} : { nextPageToken }),
    selfLink: url(world, "global/machineImages"),
  });
};

export const readGlobalOperation: Handler = (world, { name }) => {
  const found = world.operations.get(name);
  if (found?.kind !== "machineImages")
    return refuseMissing(`projects/${world.settings.project}/global/operations/${name}`);
  return ok(shownOperation(world, found, world.clock.now()));
};

function answered(world: World, { query }: Parameters<Handler>[1], type: string, image: StoredImage, lastsMs: number) {
  const requestId = query.get("requestId") ?? undefined;
  const about = { zone: "", type, targetId: image.id, targetName: image.name, requestId, lastsMs };
  world.changes += 1;
  return ok(shownOperation(world, newOperation(world, { ...about, kind: "machineImages" }), world.clock.now()));
}

function shownImage(world: World, one: StoredImage): Readonly<Record<string, unknown>> {
  const now = world.clock.now();
  const isGoing = one.goneAt !== Number.POSITIVE_INFINITY;
  return {
    kind: "compute#machineImage",
    id: one.id,
    creationTimestamp: time(one.createdAt),
    name: one.name,
    ...(one.description === undefined ? {} : { description: one.description }),
    labels: one.labels,
    status: isGoing ? "DELETING" : now < one.readyAt ? "CREATING" : "READY",
    sourceInstance: `https://www.googleapis.com/compute/v1/${one.source}`,
    storageLocations: ["us"],
    ...(now < one.readyAt ? {} : { totalStorageBytes: "1073741824" }),
    selfLink: url(world, `global/machineImages/${one.name}`),
  };
}
