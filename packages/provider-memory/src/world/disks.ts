import { checkQuota, regionOf, zoneOf } from "./catalogue.ts";
import type { Disk, Tag } from "./records.ts";
import { Refusal } from "./refusals.ts";
import { newId, pathOf, type Remote, sameTag, taggedMachineAt } from "./remote.ts";
import { passing, refuseEnded } from "./sleep.ts";

export interface CreateDisk {
  readonly tag: Tag;
  readonly name: string;
  readonly sizeBytes: number;
  /** Null: the first of the region. */
  readonly zone: string | null;
  readonly pool: string | null;
  /** The caller did not name the region: one that the tag has elsewhere will do. */
  readonly anywhere: boolean;
}

export function createDisk(world: Remote, region: string, body: CreateDisk, at: number): Disk {
  const existing = world.disks.all().find((disk) => sameTag(disk.tag, body.tag) && disk.state !== "erasing");
  if (existing !== undefined) return sameDisk(existing, region, body);
  const taken = world.disks.all().find((disk) => disk.name === body.name && disk.state !== "erasing");
  if (taken !== undefined) {
    throw new Refusal("name-taken", `${body.name} is the name of another volume`, { thing: pathOf(taken) });
  }
  const zone = body.zone === null ? regionOf(world, region).zones[0] : zoneOf(world, region, body.zone);
  if (zone === undefined) throw new Refusal("unknown-place", `${region} has no zone`);
  checkQuota(world, "volumes", 1);
  const disk: Disk = {
    id: newId(world, "memdisk"),
    region,
    zone,
    name: body.name,
    tag: body.tag,
    state: "formatting",
    sizeBytes: body.sizeBytes,
    pool: body.pool,
    machine: null,
    createdAt: at,
  };
  world.changes += 1;
  world.disks.put(disk, at);
  world.timeline.plan(at + world.settings.volumeMs, (when) => {
    const current = world.disks.current(disk.id);
    if (current?.state === "formatting") {
      world.disks.put({ ...current, state: "free" }, when);
    }
  });
  return disk;
}

function sameDisk(existing: Disk, region: string, body: CreateDisk): Disk {
  const same =
    existing.sizeBytes === body.sizeBytes &&
    existing.pool === body.pool &&
    (body.zone === null || body.zone === existing.zone) &&
    (body.anywhere || region === existing.region);
  if (same) return existing;
  throw new Refusal("other-request", `the tag stands for ${existing.id}, which was asked for differently`, {
    thing: pathOf(existing),
  });
}

function diskAt(world: Remote, region: string, id: string): Disk {
  const disk = world.disks.current(id);
  if (disk === undefined || disk.region !== region) throw new Refusal("not-found", `there is no volume ${id}`);
  if (disk.tag === null) {
    throw new Refusal("not-ours", `volume ${id} bears no tag of Slipway`, { thing: pathOf(disk) });
  }
  return disk;
}

export function deleteDisk(world: Remote, region: string, id: string, at: number): Disk {
  const disk = diskAt(world, region, id);
  if (disk.state === "erasing") return disk;
  if (disk.state === "mounted") throw new Refusal("wrong-state", `volume ${id} is attached to ${disk.machine}`);
  const erasing: Disk = { ...disk, state: "erasing" };
  world.changes += 1;
  world.disks.put(erasing, at);
  world.timeline.plan(at + world.settings.volumeMs, (when) => world.disks.remove(id, when));
  return erasing;
}

/** Attaches a disk if it is free: of two who try, one gets it. */
export function attachDisk(
  world: Remote,
  region: string,
  body: { readonly id: string; readonly machine: string; readonly path: string },
  at: number,
): Disk {
  const machine = taggedMachineAt(world, region, body.machine);
  refuseEnded(machine);
  if (machine.state !== "active") throw passing(machine, "draft", "building", "waking");
  const disk = diskAt(world, region, body.id);
  if (disk.zone !== machine.zone) throw new Refusal("place-mismatch", `volume ${disk.id} is in ${disk.zone}`);
  if (disk.state !== "free") throw new Refusal("not-free");
  const mounted: Disk = { ...disk, state: "mounted", machine: machine.id };
  world.changes += 1;
  world.disks.put(mounted, at);
  world.machines.put({ ...machine, disks: [...machine.disks, { id: disk.id, path: body.path }] }, at);
  return mounted;
}

/** Takes a pool's disk off its machine and gives it back. One that is free already is left as it is. */
export function releaseDisk(world: Remote, region: string, id: string, at: number): Disk {
  const disk = diskAt(world, region, id);
  if (disk.pool === null) throw new Refusal("wrong-state", `volume ${id} belongs to no pool`);
  if (disk.state !== "mounted") return disk;
  const machine = disk.machine === null ? undefined : world.machines.current(disk.machine);
  if (machine !== undefined) {
    world.machines.put({ ...machine, disks: machine.disks.filter((mounted) => mounted.id !== id) }, at);
  }
  const free: Disk = { ...disk, state: "free", machine: null };
  world.changes += 1;
  world.disks.put(free, at);
  return free;
}
