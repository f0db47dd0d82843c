// The remote itself, as far as the provider uses it: what it has, and the rules by which it refuses. Replace it by yours,
// as strict as the real one; whatever it is kind about will break in production.
import type { Clock } from "@slipway/core";
import { type SeededRandom, seededRandom } from "@slipway/provider-kit/emulator";

/** Times are milliseconds. */
export interface CloudSettings {
  readonly seed?: number | undefined;
  /** From creation to `up`; 30 000. */
  readonly bootMs?: number | undefined;
  /** From deletion to `gone`; 5 000. */
  readonly endMs?: number | undefined;
  /** The most machines at once; 1 000. */
  readonly quota?: number | undefined;
}

/** A refusal in the remote's own words. */
export class Refused extends Error {
  readonly code: string;
  constructor(code: string, message: string) {
    super(message);
    this.code = code;
  }
}

type Tags = Readonly<Record<string, string>>;

export interface Machine {
  readonly id: string;
  readonly name: string;
  readonly type: string;
  readonly image: string;
  readonly tags: Tags;
  readonly userData: string | undefined;
  readonly createdAt: number;
  endedAt: number | null;
  crashed: boolean;
  // #if hibernation
  saved: boolean;
  // #end
  // #if multiRegion
  readonly region: string;
  // #end
  // #if gpu
  readonly gpus: { readonly type: string; readonly count: number } | null;
  // #end
}

const TYPES: ReadonlySet<string> = new Set(["small", "large"]);
const DEFAULT_IMAGE = "debian-12";
const IMAGES: ReadonlySet<unknown> = new Set([undefined, DEFAULT_IMAGE, "ubuntu-24.04"]);
const FIELDS: ReadonlySet<string> = new Set([
  ...["name", "type", "image", "tags", "userData", "sshKeys"],
  // #if multiRegion
  "region",
  // #end
  // #if gpu
  "gpus",
  // #end
  // #if persistentVolumes
  "disks",
  // #end
]);
// #if multiRegion
const REGIONS: ReadonlySet<string> = new Set(["north", "south"]);
// #end
// #if gpu
const GPUS: ReadonlySet<string> = new Set(["a10", "h100"]);
// #end

export class Cloud {
  readonly machines: Map<string, Machine> = new Map();
  // #if persistentVolumes
  readonly disks: Map<string, { readonly id: string; readonly name: string; readonly sizeBytes: number; readonly createdAt: number; readonly region: string; machine: string | null }> = new Map();
  // #end
  // #if snapshots
  readonly captures: Map<string, { readonly id: string; readonly machine: string; readonly tags: Tags; readonly createdAt: number }> = new Map();
  // #end
  /** Rises with every change. */
  changes = 0;
  readonly #clock: Clock;
  readonly #random: SeededRandom;
  readonly #bootMs: number;
  readonly #endMs: number;
  readonly #quota: number;

  constructor(settings: CloudSettings, clock: Clock) {
    this.#clock = clock;
    this.#random = seededRandom(settings.seed ?? 1);
    this.#bootMs = settings.bootMs ?? 30_000;
    this.#endMs = settings.endMs ?? 5_000;
    this.#quota = settings.quota ?? 1_000;
  }

  /** Every request of the wire: what is done to which kind of thing. Throws `Refused`. */
  handle(thing: string, verb: string, id: string, body: unknown): unknown {
    const operation = this.#operations[`${thing} ${verb}`];
    if (operation === undefined) throw new Refused("invalid", `there is no ${verb} of ${thing}`);
    return operation(id, body);
  }

  readonly #operations: Readonly<Record<string, (id: string, body: unknown) => unknown>> = {
    "machines create": (_, body) => this.#view(this.create(this.#checked(body))),
    "machines list": () => ({ machines: this.#present().map((machine) => this.#view(machine)) }),
    "machines read": (id) => this.#view(this.#machine(id)),
    "machines delete": (id) => this.#end(this.#machine(id)),
    // #if hibernation
    "machines save": (id) => this.#save(this.#machine(id), true),
    "machines wake": (id) => this.#save(this.#machine(id), false),
    // #end
    // #if persistentVolumes
    "disks create": (_, body) => this.#createDisk(record(body)),
    "disks list": () => ({ disks: [...this.disks.values()].map((disk) => this.#diskView(disk)) }),
    "disks delete": (id) => this.#deleteDisk(id),
    // #end
    // #if snapshots
    "captures create": (_, body) => this.#createCapture(record(body)),
    "captures list": () => ({ captures: [...this.captures.values()].map((capture) => this.#captureView(capture)) }),
    "captures delete": (id) => this.#deleteCapture(id),
    // #end
  };

  state(machine: Machine): string {
    const now = this.#clock.now();
    if (machine.endedAt !== null) return now < machine.endedAt + this.#endMs ? "halting" : "gone";
    if (machine.crashed) return "crashed";
    // #if hibernation
    if (machine.saved) return "saved";
    // #end
    return now < machine.createdAt + this.#bootMs ? "starting" : "up";
  }

  isLive(machine: Machine): boolean {
    return machine.endedAt === null;
  }

  create(wanted: Readonly<Record<string, unknown>>): Machine {
    const live = [...this.machines.values()].filter((machine) => this.isLive(machine));
    if (live.length >= this.#quota) throw new Refused("quota", `the account may have ${this.#quota} machines`);
    const name = String(wanted["name"]);
    // #if idempotentSpawn
    if (live.some((machine) => machine.name === name)) throw new Refused("name-taken", `a machine is named ${name}`);
    // #end
    const machine: Machine = {
      id: this.#newId("m"),
      name,
      type: String(wanted["type"] ?? "small"),
      image: String(wanted["image"] ?? DEFAULT_IMAGE),
      tags: record(wanted["tags"] ?? {}) as Tags,
      userData: typeof wanted["userData"] === "string" ? wanted["userData"] : undefined,
      createdAt: this.#clock.now(),
      endedAt: null,
      crashed: false,
      // #if hibernation
      saved: false,
      // #end
      // #if multiRegion
      region: String(wanted["region"] ?? "north"),
      // #end
      // #if gpu
      gpus: gpusOf(wanted["gpus"]),
      // #end
    };
    // #if persistentVolumes
    this.#attach(wanted["disks"], machine.id);
    // #end
    this.machines.set(machine.id, machine);
    this.changes += 1;
    return machine;
  }

  #checked(body: unknown): Readonly<Record<string, unknown>> {
    const wanted = record(body);
    for (const field of Object.keys(wanted)) {
      if (!FIELDS.has(field)) throw new Refused("invalid", `unknown field ${field}`);
    }
    const { name, type, tags } = wanted;
    if (typeof name !== "string" || !/^[a-z0-9-]{1,63}$/.test(name)) throw new Refused("invalid", "name: 1 to 63 of a-z 0-9 -");
    if (typeof type !== "string" || !TYPES.has(type)) throw new Refused("invalid", "type: no such machine type");
    if (Object.values(record(tags ?? {})).some((value) => typeof value !== "string")) throw new Refused("invalid", "tags: texts");
    // #if multiRegion
    if (!REGIONS.has(String(wanted["region"]))) throw new Refused("invalid", "region: no such region");
    // #end
    // #if gpu
    const gpus = wanted["gpus"] === undefined ? undefined : record(wanted["gpus"]);
    if (gpus?.["type"] !== undefined && !GPUS.has(String(gpus["type"]))) throw new Refused("invalid", "gpus: no such type");
    // #end
    const { image } = wanted;
    // #if snapshots
    if (this.captures.has(String(image))) return wanted;
    // #end
    if (!IMAGES.has(image)) throw new Refused("invalid", "image: no such image");
    return wanted;
  }

  #present(): readonly Machine[] {
    return [...this.machines.values()].filter((machine) => this.state(machine) !== "gone");
  }

  #machine(id: string): Machine {
    const found = this.machines.get(id);
    if (found === undefined || this.state(found) === "gone") throw new Refused("not-found", `no machine ${id}`);
    return found;
  }

  #end(machine: Machine): object {
    if (machine.endedAt === null) {
      machine.endedAt = this.#clock.now();
      this.changes += 1;
      // #if persistentVolumes
      for (const disk of this.disks.values()) if (disk.machine === machine.id) disk.machine = null;
      // #end
    }
    return {};
  }

  #view(machine: Machine): object {
    const { id, name, type, image, tags, createdAt } = machine;
    const state = this.state(machine);
    return {
      ...{ id, name, type, image, tags, state },
      address: state === "up" ? `203.0.113.${1 + (createdAt % 250)}` : null,
      createdAt: new Date(createdAt).toISOString(),
      // #if multiRegion
      region: machine.region,
      // #end
      // #if gpu
      gpus: machine.gpus,
      // #end
    };
  }
  // #if hibernation

  #save(machine: Machine, saved: boolean): object {
    const allowed = saved ? ["up", "starting"] : ["saved"];
    const state = this.state(machine);
    if (!allowed.includes(state)) throw new Refused("wrong-state", `the machine is ${state}`);
    machine.saved = saved;
    this.changes += 1;
    return this.#view(machine);
  }
  // #end
  // #if persistentVolumes

  #attach(disks: unknown, machine: string): void {
    const wanted = Array.isArray(disks) ? disks.map(record) : [];
    const found = wanted.map(({ id }) => this.disks.get(String(id)));
    for (const disk of found) {
      if (disk === undefined) throw new Refused("invalid", "disks: no such disk");
      if (disk.machine !== null) throw new Refused("in-use", `${disk.id} is attached to ${disk.machine}`);
    }
    for (const disk of found) if (disk !== undefined) disk.machine = machine;
  }

  #createDisk({ name, sizeBytes, region = "north" }: Readonly<Record<string, unknown>>): object {
    if (typeof sizeBytes !== "number" || sizeBytes <= 0) throw new Refused("invalid", "sizeBytes: above 0");
    if (typeof name !== "string") throw new Refused("invalid", "name: a text");
    const disk = { id: this.#newId("d"), name, sizeBytes, createdAt: this.#clock.now(), region: String(region), machine: null };
    this.disks.set(disk.id, disk);
    this.changes += 1;
    return this.#diskView(disk);
  }

  #deleteDisk(id: string): object {
    const found = this.disks.get(id);
    if (found === undefined) throw new Refused("not-found", `no disk ${id}`);
    if (found.machine !== null) throw new Refused("in-use", `${id} is attached to ${found.machine}`);
    this.disks.delete(id);
    this.changes += 1;
    return {};
  }

  #diskView(disk: { readonly createdAt: number }): object {
    return { ...disk, createdAt: new Date(disk.createdAt).toISOString() };
  }
  // #end
  // #if snapshots

  #createCapture({ machine, tags }: Readonly<Record<string, unknown>>): object {
    const { id } = this.#machine(String(machine));
    const capture = { id: this.#newId("c"), machine: id, tags: record(tags ?? {}) as Tags, createdAt: this.#clock.now() };
    this.captures.set(capture.id, capture);
    this.changes += 1;
    return this.#captureView(capture);
  }

  #deleteCapture(id: string): object {
    if (!this.captures.delete(id)) throw new Refused("not-found", `no capture ${id}`);
    this.changes += 1;
    return {};
  }

  #captureView(capture: { readonly createdAt: number }): object {
    const state = this.#clock.now() < capture.createdAt + this.#bootMs ? "copying" : "ready";
    return { ...capture, state, createdAt: new Date(capture.createdAt).toISOString() };
  }
  // #end

  #newId(kind: string): string {
    return `${kind}-${Math.floor(this.#random.next() * 16 ** 10).toString(16).padStart(10, "0")}`;
  }
}

function record(value: unknown): Readonly<Record<string, unknown>> {
  if (typeof value === "object" && value !== null && !Array.isArray(value)) return value as Readonly<Record<string, unknown>>;
  throw new Refused("invalid", "an object is needed");
}
// #if gpu

function gpusOf(wanted: unknown): Machine["gpus"] {
  if (wanted === undefined) return null;
  const { type = "a10", count = 1 } = record(wanted);
  return { type: String(type), count: Number(count) };
}
// #end
