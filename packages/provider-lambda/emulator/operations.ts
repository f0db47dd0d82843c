import type { HttpAnswer } from "@slipway/provider-kit/emulator";
import { ok, refuse, refuseMissing, refuseParameters } from "./answers.ts";
import { EMULATED_IMAGES, EMULATED_REGIONS, EMULATED_TYPES } from "./catalogue.ts";
import { createMachine, rebootMachine } from "./machines.ts";
import { fileSystemRequest, idsRequest, type LaunchRequest, launchRequest, read, sshKeyRequest } from "./requests.ts";
import { listedAt, readableAt, shownFileSystem, shownInstance, shownType } from "./views.ts";
import { at, freeAt, isAlive, newAddress, newId, placeId, statusAt, turn, typeOf, type World } from "./world.ts";

/** A request as the router hands it on. */
export interface WireRequest {
  readonly id: string;
  readonly body: unknown;
  readonly query: URLSearchParams;
  /** The moment whose state a read sees. */
  readonly seenAt: number;
}

export type Handler = (world: World, request: WireRequest) => HttpAnswer;

export const listInstances: Handler = (world, { seenAt }) =>
  ok(
    [...world.instances.values()]
      .filter((one) => listedAt(world, one, seenAt))
      .map((one) => shownInstance(world, one, seenAt)),
  );

export const readInstance: Handler = (world, { id, seenAt }) => {
  const found = world.instances.get(id);
  if (found === undefined || !readableAt(world, found, seenAt)) return refuseMissing(404, "instance");
  return ok(shownInstance(world, found, seenAt));
};

export const listTypes: Handler = (world) =>
  ok(
    Object.fromEntries(
      EMULATED_TYPES.map((type) => [
        type.name,
        {
          instance_type: shownType(type),
          regions_with_capacity_available: EMULATED_REGIONS.filter(
            ({ name }) => world.shown.get(placeId(type.name, name)) ?? freeAt(world, type.name, name) > 0,
          ),
        },
      ]),
    ),
  );

export const listImages: Handler = () =>
  ok(
    EMULATED_IMAGES.map(({ region, ...image }) => ({
      ...image,
      name: image.family,
      description: image.family,
      version: "1.0.0",
      created_time: "2025-11-01T00:00:00+00:00",
      updated_time: "2025-11-01T00:00:00+00:00",
      region: EMULATED_REGIONS.find(({ name }) => name === region),
    })),
  );

export const launch: Handler = (world, { body }) => {
  const request = read(launchRequest, body);
  const now = world.clock.now();
  checkReferences(world, request, now);
  const alive = [...world.instances.values()].filter((one) => isAlive(one, now)).length;
  if (alive >= world.settings.instanceQuota) refuse(400, "global/quota-exceeded", "Quota exceeded.");
  if (freeAt(world, request.instance_type_name, request.region_name) <= 0) {
    refuse(
      400,
      "instance-operations/launch/insufficient-capacity",
      "Not enough capacity to fulfill launch request.",
      "Choose another region or instance type.",
    );
  }
  const id = newId(world);
  const { bootMs } = world.settings;
  const events = [
    { at: now, status: "booting" },
    { at: now + bootMs, status: "active" },
  ];
  const made = { id, request, launchedAt: now, events, number: world.instances.size + 1, ip: newAddress(world) };
  world.instances.set(id, made);
  createMachine(world, made, now);
  world.changes += 1;
  return ok({ instance_ids: [id] });
};

function checkReferences(world: World, request: LaunchRequest, now: number): void {
  if (typeOf(request.instance_type_name) === undefined) refuseMissing(404, "instance type");
  const [keyName] = request.ssh_key_names;
  const keys = at(world.sshKeys, now).filter(({ name }) => name === keyName);
  if (keys.length === 0) refuseMissing(400, "SSH key");
  // What Lambda really does where two keys have one name.
  if (keys.length > 1) refuse(500, "global/unknown", "An unknown error occurred.");
  const { image } = request;
  const fits = ({ id, family, region }: { id: string; family: string; region: string }): boolean =>
    region === request.region_name &&
    (image === undefined || ("id" in image ? image.id === id : image.family === family));
  if (!EMULATED_IMAGES.some(fits)) refuseMissing(404, "image");
  const present = at(world.fileSystems, now);
  const wanted = [
    ...(request.file_system_names ?? []).map((name) => present.find((one) => one.name === name)),
    ...(request.file_system_mounts ?? []).map(({ file_system_id: id }) => present.find((one) => one.id === id)),
  ];
  for (const one of wanted) {
    if (one === undefined) return refuseMissing(404, "file system");
    if (one.region === request.region_name) continue;
    refuse(
      400,
      "instance-operations/launch/file-system-in-wrong-region",
      "The file system is not in the instance's region.",
    );
  }
}

export const terminate: Handler = (world, { body }) => {
  const now = world.clock.now();
  const found = read(idsRequest, body).instance_ids.map((id) => {
    const one = world.instances.get(id);
    return one === undefined || !isAlive(one, now) ? refuseMissing(404, "instance") : one;
  });
  if (found.some((one) => statusAt(one, now) === "terminating")) {
    refuse(500, "global/unknown", "An unknown error occurred.");
  }
  for (const one of found) {
    turn(world, one, { inMs: 0, status: "terminating" }, { inMs: world.settings.endMs, status: "terminated" });
  }
  return ok({ terminated_instances: found.map((one) => shownInstance(world, one, now)) });
};

export const restart: Handler = (world, { body }) => {
  const now = world.clock.now();
  const found = read(idsRequest, body).instance_ids.map((id) => {
    const one = world.instances.get(id);
    return one === undefined || !isAlive(one, now) ? refuseMissing(404, "instance") : one;
  });
  for (const one of found) rebootMachine(world, one);
  return ok({ restarted_instances: found.map((one) => shownInstance(world, one, now)) });
};

export const listSshKeys: Handler = (world, { seenAt }) => ok(at(world.sshKeys, seenAt));

export const addSshKey: Handler = (world, { body }) => {
  const { name, public_key } = read(sshKeyRequest, body);
  const id = newId(world);
  const value = { id, name, public_key: public_key ?? `ssh-ed25519 ${id} generated` };
  world.sshKeys.push({ value, from: world.clock.now(), until: Number.POSITIVE_INFINITY });
  return ok(public_key === undefined ? { ...value, private_key: "-----BEGIN EMULATED KEY-----" } : value);
};

export const deleteSshKey: Handler = (world, { id }) => {
  const now = world.clock.now();
  const kept = world.sshKeys.find(({ value, until }) => value.id === id && until > now);
  if (kept === undefined) return refuseParameters("id: SSH key does not exist");
  kept.until = now;
  return ok({});
};

export const listFileSystems: Handler = (world, { seenAt }) =>
  ok(at(world.fileSystems, seenAt).map((one) => shownFileSystem(world, one, seenAt)));

export const createFileSystem: Handler = (world, { body }) => {
  const { name, region } = read(fileSystemRequest, body);
  const now = world.clock.now();
  const present = at(world.fileSystems, now);
  if (present.some((one) => one.name === name)) {
    refuse(400, "global/duplicate", "A file system with this name exists already.");
  }
  if (present.length >= world.settings.fileSystemQuota) refuse(400, "global/quota-exceeded", "Quota exceeded.");
  const value = { id: newId(world), name, region, createdAt: now };
  world.fileSystems.push({ value, from: now, until: Number.POSITIVE_INFINITY });
  world.changes += 1;
  return ok(shownFileSystem(world, value, now));
};

export const deleteFileSystem: Handler = (world, { id }) => {
  const now = world.clock.now();
  const kept = world.fileSystems.find(({ value, until }) => value.id === id && until > now);
  if (kept === undefined) return refuseMissing(404, "file system");
  if (shownFileSystem(world, kept.value, now).is_in_use) {
    refuse(400, "filesystems/filesystem-in-use", "The file system is in use.");
  }
  kept.until = now;
  world.changes += 1;
  return ok({ deleted_ids: [id] });
};
