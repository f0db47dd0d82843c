import { checkQuota } from "./catalogue.ts";
import type { Capture, Tag } from "./records.ts";
import { Refusal } from "./refusals.ts";
import { newId, pathOf, type Remote, sameTag, taggedMachineAt } from "./remote.ts";
import { passing, refuseEnded } from "./sleep.ts";

export interface CreateCapture {
  readonly machine: string;
  readonly tag: Tag;
  readonly name: string;
  readonly title: string | null;
}

const CAPTURABLE: ReadonlySet<string> = new Set(["active", "halted", "suspended", "failed"]);

export function createCapture(world: Remote, region: string, body: CreateCapture, at: number): Capture {
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

export function deleteCapture(world: Remote, region: string, id: string, at: number): Capture {
  const capture = world.captures.current(id);
  if (capture === undefined || capture.region !== region) throw new Refusal("not-found", `there is no snapshot ${id}`);
  if (capture.tag === null) {
    throw new Refusal("not-ours", `snapshot ${id} bears no tag of Slipway`, { thing: pathOf(capture) });
  }
  world.changes += 1;
  world.captures.remove(id, at);
  return capture;
}
