import { createBid, withdrawBid } from "./bids.ts";
import { checkQuota, priceOf, regionOf } from "./catalogue.ts";
import { attachDisk, type CreateDisk, createDisk, deleteDisk, releaseDisk } from "./disks.ts";
import { type CreateMachine, createMachine, deleteMachine, startMachine } from "./machines.ts";
import { type CreateNode, createNode, deleteNode, type NodeCommand, runInNode } from "./nodes.ts";
import type { Capture, Tag } from "./records.ts";
import { Refusal } from "./refusals.ts";
import { consoleOf, newId, pathOf, type Remote, sameTag, taggedMachineAt } from "./remote.ts";
import { passing, refuseEnded, suspendMachine, wakeMachine } from "./sleep.ts";

interface ById {
  readonly id: string;
}

/** One page of a listing: what bears a tag, of one owner or of all (null). */
export interface ListPage {
  readonly owner: string | null;
  readonly after: string | null;
}

/** The body of each request that the remote understands. */
export interface WireBodies {
  readonly "account.read": object;
  readonly "catalogue.read": object;
  readonly "machines.create": CreateMachine;
  readonly "machines.start": ById;
  readonly "machines.read": ById;
  readonly "machines.list": ListPage;
  readonly "machines.delete": ById;
  readonly "machines.suspend": ById;
  readonly "machines.wake": ById;
  readonly "machines.console": ById & { readonly from: number };
  readonly "captures.create": CreateCapture;
  readonly "captures.read": ById;
  readonly "captures.list": ListPage;
  readonly "captures.delete": ById;
  readonly "bids.create": CreateMachine;
  readonly "bids.withdraw": ById;
  readonly "disks.create": CreateDisk;
  readonly "disks.list": ListPage;
  readonly "disks.delete": ById;
  readonly "disks.attach": ById & { readonly machine: string; readonly path: string };
  readonly "disks.release": ById;
  readonly "usage.read": { readonly owner: string; readonly from: number; readonly to: number };
  readonly "nodes.create": CreateNode;
  readonly "nodes.list": { readonly owner: string };
  readonly "nodes.delete": ById;
  readonly "nodes.run": ById & { readonly command: NodeCommand };
}

export type WireOperation = keyof WireBodies;

/** Where and when a request is handled. */
export interface Handling {
  readonly world: Remote;
  readonly region: string;
  readonly at: number;
  /** Reads miss what was written after this moment. */
  readonly asOf: number;
}

interface Handler<Body> {
  /** Can it change anything? */
  readonly writes: boolean;
  /** Is it answered by a region, and not where that is down? */
  readonly regional: boolean;
  readonly handle: (on: Handling, body: Body) => unknown;
}

const write = <Body>(handle: Handler<Body>["handle"], regional = true): Handler<Body> => ({
  writes: true,
  regional,
  handle,
});
const read = <Body>(handle: Handler<Body>["handle"], regional = true): Handler<Body> => ({
  writes: false,
  regional,
  handle,
});

export const OPERATIONS: { readonly [O in WireOperation]: Handler<WireBodies[O]> } = {
  "account.read": read(({ world }) => ({ regions: world.settings.regions }), false),
  "catalogue.read": read(({ world, region, at }) => catalogue(world, region, at)),
  "machines.create": write(({ world, region, at }, body) => createMachine(world, region, body, at)),
  "machines.start": write(({ world, region, at }, { id }) => startMachine(world, region, id, at)),
  "machines.read": read(({ world, region, asOf }, { id }) => found(world.machines.seen(id, asOf), region, id)),
  "machines.list": read(({ world, region, asOf }, page) => paged(world, region, world.machines.allSeen(asOf), page)),
  "machines.delete": write(({ world, region, at }, { id }) => deleteMachine(world, region, id, at)),
  "machines.suspend": write(({ world, region, at }, { id }) => suspendMachine(world, region, id, at)),
  "machines.wake": write(({ world, region, at }, { id }) => wakeMachine(world, region, id, at)),
  "machines.console": read(({ world, region }, { id, from }) => consoleOf(world, region, id, from)),
  "captures.create": write(({ world, region, at }, body) => createCapture(world, region, body, at)),
  "captures.read": read(({ world, region, asOf }, { id }) => found(world.captures.seen(id, asOf), region, id)),
  "captures.list": read(({ world, region, asOf }, page) => paged(world, region, world.captures.allSeen(asOf), page)),
  "captures.delete": write(({ world, region, at }, { id }) => deleteCapture(world, region, id, at)),
  "bids.create": write(({ world, region, at }, body) => createBid(world, region, body, at)),
  "bids.withdraw": write(({ world, region, at }, { id }) => withdrawBid(world, region, id, at)),
  "disks.create": write(({ world, region, at }, body) => createDisk(world, region, body, at)),
  "disks.list": read(({ world, region, asOf }, page) => paged(world, region, world.disks.allSeen(asOf), page)),
  "disks.delete": write(({ world, region, at }, { id }) => deleteDisk(world, region, id, at)),
  "disks.attach": write(({ world, region, at }, body) => attachDisk(world, region, body, at)),
  "disks.release": write(({ world, region, at }, { id }) => releaseDisk(world, region, id, at)),
  "usage.read": read(({ world, at }, query) => usage(world, query, at), false),
  "nodes.create": write(({ world, at }, body) => createNode(world, body, at), false),
  "nodes.list": read(({ world, asOf }, { owner }) => nodesOf(world, owner, asOf), false),
  "nodes.delete": write(({ world, at }, { id }) => deleteNode(world, id, at), false),
  "nodes.run": write(({ world }, { id, command }) => runInNode(world, id, command), false),
};

function found<T extends { readonly region: string }>(row: T | undefined, region: string, id: string): T {
  if (row === undefined || row.region !== region) throw new Refusal("not-found", `there is no ${id}`);
  return row;
}

function paged<T extends { readonly id: string; readonly region: string; readonly tag: Tag | null }>(
  world: Remote,
  region: string,
  rows: readonly T[],
  { owner, after }: ListPage,
): { items: readonly T[]; next: string | null } {
  const matching = rows
    .filter((row) => row.region === region && row.tag !== null && (owner === null || row.tag.owner === owner))
    .sort((a, b) => (a.id < b.id ? -1 : 1));
  const rest = after === null ? matching : matching.filter((row) => row.id > after);
  const items = rest.slice(0, world.settings.pageSize);
  return { items, next: rest.length > items.length ? (items.at(-1)?.id ?? null) : null };
}

function catalogue(world: Remote, region: string, at: number): unknown {
  const { zones } = regionOf(world, region);
  const specs = world.settings.specs.map((spec) => ({
    name: spec.name,
    usdPerHour: priceOf(world, spec, false),
    spotUsdPerHour: priceOf(world, spec, true),
  }));
  return { zones, specs, at };
}

function usage(world: Remote, query: WireBodies["usage.read"], at: number): unknown {
  const entries = world.ledger
    .filter((entry) => entry.owner === query.owner && entry.from < query.to && (entry.to ?? at) > query.from)
    .map((entry) => ({ ...entry, from: Math.max(entry.from, query.from), to: Math.min(entry.to ?? at, query.to) }));
  return { entries, at };
}

function nodesOf(world: Remote, owner: string, asOf: number): unknown {
  return { items: world.nodes.allSeen(asOf).filter((node) => node.labels["dev.slipway.owner"] === owner) };
}

interface CreateCapture {
  readonly machine: string;
  readonly tag: Tag;
  readonly name: string;
  readonly title: string | null;
}

const CAPTURABLE: ReadonlySet<string> = new Set(["active", "halted", "suspended", "failed"]);

function createCapture(world: Remote, region: string, body: CreateCapture, at: number): Capture {
  const existing = world.captures.all().find((capture) => sameTag(capture.tag, body.tag));
  if (existing !== undefined) {
    if (existing.machine === body.machine && existing.region === region) return existing;
    throw new Refusal("other-request", `the tag stands for ${existing.id}, a copy of another machine`, {
      thing: pathOf(existing),
    });
  }
  const machine = taggedMachineAt(world, region, body.machine);
  refuseEnded(machine);
  if (!CAPTURABLE.has(machine.state)) throw passing(machine, "draft", "building", "waking", "suspending", "halting");
  const taken = world.captures.all().find((capture) => capture.name === body.name);
  if (taken !== undefined) {
    throw new Refusal("name-taken", `${body.name} is the name of another snapshot`, { thing: pathOf(taken) });
  }
  checkQuota(world, "snapshots", 1);
  const capture: Capture = {
    id: newId(world, "memcap"),
    region,
    name: body.name,
    title: body.title,
    tag: body.tag,
    state: "copying",
    machine: machine.id,
    sizeBytes: machine.diskBytes,
    createdAt: at,
  };
  world.changes += 1;
  world.captures.put(capture, at);
  world.timeline.plan(at + world.settings.snapshotMs, (when) => {
    const current = world.captures.current(capture.id);
    if (current?.state === "copying") world.captures.put({ ...current, state: "ready" }, when);
  });
  return capture;
}

function deleteCapture(world: Remote, region: string, id: string, at: number): Capture {
  const capture = world.captures.current(id);
  if (capture === undefined || capture.region !== region) throw new Refusal("not-found", `there is no snapshot ${id}`);
  if (capture.tag === null) {
    throw new Refusal("not-ours", `snapshot ${id} bears no tag of Slipway`, { thing: pathOf(capture) });
  }
  world.changes += 1;
  world.captures.remove(id, at);
  return capture;
}
