import { checkQuota, chooseSpec, priceOf, regionOf, type Wanted, zoneOf, zoneWithRoom } from "./catalogue.ts";
import type { Machine, MountedDisk, Tag } from "./records.ts";
import { Refusal } from "./refusals.ts";
import {
  bootAfter,
  endMachine,
  move,
  newId,
  openLedger,
  pathOf,
  print,
  type Remote,
  sameTag,
  taggedMachineAt,
  tagText,
} from "./remote.ts";
import type { MemorySpec, UserData } from "./settings.ts";

/** The body of `machines.create` and of `bids.create`. */
export interface CreateMachine extends Wanted {
  readonly tag: Tag;
  readonly name: string;
  readonly title: string | null;
  readonly fingerprint: string;
  readonly image: string | null;
  readonly labels: Readonly<Record<string, string>>;
  /** Absent: not interruptible. */
  readonly spot: { readonly maxUsdPerHour: number | null } | null;
  readonly suspendable: boolean;
  readonly maxUsdPerHour: number | null;
  readonly expiresAt: string | null;
  /** When the remote itself deletes it. */
  readonly terminateBy: string | null;
  readonly userData: {
    readonly base64: string;
    readonly format: "cloud-init" | "shell";
    readonly checksum: string;
  } | null;
  readonly ports: readonly { readonly port: number; readonly protocol: string; readonly hostPort: number | null }[];
  readonly sshKeys: readonly string[];
  readonly disks: readonly MountedDisk[];
  /** A pool's name, or the id of one of its disks. */
  readonly warmDisk: string | null;
  readonly capture: string | null;
  readonly tailnet: {
    readonly authKey: string;
    readonly hostname: string | null;
    readonly tags: readonly string[];
  } | null;
  readonly network: Machine["network"];
}

const DEFAULT_IMAGE = "mem-linux";

/** The live machine of a tag; one that is being deleted stands for its tag no more. */
export function liveMachineOf(world: Remote, tag: Tag): Machine | undefined {
  const live = (machine: Machine): boolean => machine.state !== "deleted" && machine.state !== "deleting";
  return world.machines.all().find((machine) => sameTag(machine.tag, tag) && live(machine));
}

/** Makes a machine, or answers the one that the tag already has. One step: nobody comes between look and write. */
export function createMachine(world: Remote, region: string, body: CreateMachine, at: number): Machine {
  const existing = liveMachineOf(world, body.tag);
  if (existing !== undefined) return sameRequest(existing, body);
  const bid = world.bids.all().find((other) => sameTag(other.tag, body.tag) && other.state === "waiting");
  if (bid !== undefined) {
    throw new Refusal("other-request", "the tag stands for a spot request that waits", { thing: pathOf(bid) });
  }
  const machine = buildMachine(world, region, body, at);
  world.changes += 1;
  return machine;
}

function sameRequest(existing: Machine, body: CreateMachine): Machine {
  if (existing.fingerprint === body.fingerprint) return existing;
  throw new Refusal("other-request", `the tag stands for ${existing.id}, which was asked for differently`, {
    thing: pathOf(existing),
  });
}

/** Everything about a request that does not depend on what is free now. */
export function checkRequest(
  world: Remote,
  region: string,
  body: CreateMachine,
): { spec: MemorySpec; userData: UserData | null } {
  regionOf(world, region);
  const taken = world.machines.all().find((machine) => machine.name === body.name && machine.state !== "deleted");
  if (taken !== undefined && !sameTag(taken.tag, body.tag)) {
    throw new Refusal("name-taken", `${body.name} is the name of another machine`, { thing: pathOf(taken) });
  }
  const spec = chooseSpec(world, body);
  if (body.image !== null && world.settings.images?.includes(body.image) === false) {
    throw new Refusal("unknown-image", `there is no image ${JSON.stringify(body.image)}`);
  }
  const price = priceOf(world, spec, body.spot !== null);
  if (body.maxUsdPerHour !== null && price !== null && price > body.maxUsdPerHour) {
    throw new Refusal(
      "price-above-limit",
      `${spec.name} costs ${price} USD per hour, above maxUsdPerHour ${body.maxUsdPerHour}`,
    );
  }
  return { spec, userData: unpacked(world, body.userData) };
}

function unpacked(world: Remote, userData: CreateMachine["userData"]): UserData | null {
  if (userData === null) return null;
  const bytes = Buffer.from(userData.base64, "base64");
  if (bytes.length > world.settings.userDataMax) {
    throw new Refusal(
      "user-data-too-large",
      `user data of ${bytes.length} bytes is above ${world.settings.userDataMax}`,
    );
  }
  return { content: bytes.toString("utf8"), format: userData.format, checksum: userData.checksum };
}

export function buildMachine(world: Remote, region: string, body: CreateMachine, at: number): Machine {
  const { spec, userData } = checkRequest(world, region, body);
  const price = priceOf(world, spec, body.spot !== null);
  const bid = body.spot?.maxUsdPerHour ?? null;
  if (body.spot !== null && bid !== null && price !== null && bid < price) {
    throw new Refusal("bid-too-low", `interruptible ${spec.name} costs ${price} USD per hour, above the bid of ${bid}`);
  }
  checkCapture(world, region, body.capture);
  const zones = zonesFor(world, region, body);
  checkQuota(world, "machines", 1);
  checkQuota(world, "gpus", spec.gpu?.count ?? 0);
  const zone = zoneWithRoom(world, region, zones, spec.name);
  const disks = [...body.disks, ...warmDisk(world, zone, body)];

  const generation = (world.generations.get(tagText(body.tag)) ?? 0) + 1;
  world.generations.set(tagText(body.tag), generation);
  const machine: Machine = {
    id: newId(world, "mem"),
    region,
    zone,
    name: body.name,
    title: body.title,
    tag: body.tag,
    labels: body.labels,
    state: world.settings.creation === "two-step" ? "draft" : "building",
    reason: null,
    fingerprint: body.fingerprint,
    generation,
    spec: spec.name,
    image: body.image ?? DEFAULT_IMAGE,
    cpus: spec.cpus,
    memoryBytes: spec.memoryBytes,
    diskBytes: spec.diskBytes,
    gpu: spec.gpu ?? null,
    spot: body.spot !== null,
    suspendable: body.suspendable,
    usdPerHour: price,
    createdAt: at,
    deletedAt: null,
    expiresAt: body.expiresAt,
    terminateBy: body.terminateBy,
    publicIp: null,
    privateIp: null,
    boot: userData === null ? null : { checksum: userData.checksum, phase: "queued", exitCode: null },
    ports: body.ports.map(({ port, protocol, hostPort }) => ({ port, protocol, hostPort: hostPort ?? port })),
    sshKeys: body.sshKeys,
    disks,
    capture: body.capture,
    tailnet: body.tailnet === null ? null : { hostname: body.tailnet.hostname ?? body.name, tags: body.tailnet.tags },
    network: body.network,
    epoch: 0,
  };
  world.machines.put(machine, at);
  if (userData !== null) world.userData.set(machine.id, userData);
  openLedger(world, machine, at);
  for (const { id } of disks) {
    const disk = world.disks.current(id);
    if (disk !== undefined) {
      world.disks.put({ ...disk, state: "mounted", machine: machine.id }, at);
    }
  }
  print(world, machine.id, at, `${machine.name} is made`);
  if (machine.terminateBy !== null) endAt(world, machine.id, Date.parse(machine.terminateBy));
  if (machine.state === "building")
    bootAfter(world, machine, at, world.settings.bootMs, takeUserData(world, machine.id));
  return machine;
}

function endAt(world: Remote, id: string, time: number): void {
  world.timeline.plan(time, (at) => {
    const machine = world.machines.current(id);
    if (machine === undefined || machine.state === "deleting" || machine.state === "deleted") return;
    world.changes += 1;
    endMachine(world, machine, at, { code: "time-limit", text: "its time is over" });
  });
}

function takeUserData(world: Remote, id: string): UserData | null {
  const found = world.userData.get(id) ?? null;
  world.userData.delete(id);
  return found;
}

function checkCapture(world: Remote, region: string, id: string | null): void {
  if (id === null) return;
  const capture = world.captures.current(id);
  if (capture === undefined) throw new Refusal("not-found", `there is no snapshot ${id}`);
  if (capture.region !== region) throw new Refusal("place-mismatch", `snapshot ${id} is in ${capture.region}`);
  if (capture.state === "copying") throw new Refusal("in-transition", `snapshot ${id} is not ready yet`);
  if (capture.state !== "ready") throw new Refusal("wrong-state", `snapshot ${id} is ${capture.state}`);
}

/** The zones that the request leaves open: all of the region, or that of its disks. */
function zonesFor(world: Remote, region: string, body: CreateMachine): readonly string[] {
  let zones = regionOf(world, region).zones;
  for (const { id } of body.disks) {
    const disk = world.disks.current(id);
    if (disk === undefined) throw new Refusal("not-found", `there is no volume ${id}`);
    if (!zones.includes(disk.zone)) throw new Refusal("place-mismatch", `volume ${id} is in ${disk.zone}`);
    if (disk.state === "formatting") throw new Refusal("in-transition", `volume ${id} is not ready yet`);
    if (disk.state !== "free") throw new Refusal("wrong-state", `volume ${id} is ${disk.state}`);
    zones = [zoneOf(world, region, disk.zone)];
  }
  if (body.warmDisk === null) return zones;
  const warm = freeWarmDisks(world, body.warmDisk, body.tag.owner).map((disk) => disk.zone);
  const both = zones.filter((zone) => warm.includes(zone));
  if (both.length === 0)
    throw new Refusal("no-capacity", `no volume of ${JSON.stringify(body.warmDisk)} is free in ${zones.join(", ")}`);
  return both;
}

function freeWarmDisks(world: Remote, pool: string, owner: string): ReturnType<Remote["disks"]["all"]> {
  return world.disks
    .all()
    .filter((disk) => disk.pool !== null && (disk.pool === pool || disk.id === pool))
    .filter((disk) => disk.tag?.owner === owner && disk.state === "free");
}

function warmDisk(world: Remote, zone: string, body: CreateMachine): readonly MountedDisk[] {
  if (body.warmDisk === null) return [];
  const disk = freeWarmDisks(world, body.warmDisk, body.tag.owner).find((free) => free.zone === zone);
  return disk === undefined ? [] : [{ id: disk.id, path: "/mnt/warm" }];
}

/** Second step of a creation in two: the draft is built. On anything further it changes nothing. */
export function startMachine(world: Remote, region: string, id: string, at: number): Machine {
  const machine = taggedMachineAt(world, region, id);
  if (machine.state !== "draft") return machine;
  world.changes += 1;
  return startDraft(world, machine, at);
}

export function startDraft(world: Remote, machine: Machine, at: number): Machine {
  const building = move(world, machine, "building", at);
  bootAfter(world, building, at, world.settings.bootMs, takeUserData(world, machine.id));
  return building;
}

export function deleteMachine(world: Remote, region: string, id: string, at: number): Machine {
  const machine = taggedMachineAt(world, region, id);
  if (machine.state === "deleting" || machine.state === "deleted") return machine;
  world.changes += 1;
  return endMachine(world, machine, at, { code: "requested", text: "deleted by request" });
}
