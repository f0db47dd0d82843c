import { checkQuota } from "./catalogue.ts";
import type { Capture, Mark } from "./records.ts";
import { Refusal } from "./refusals.ts";
import { markedMachineAt, newId, pathOf, type Remote, sameMark } from "./remote.ts";
import { passing, refuseEnded } from "./sleep.ts";

export interface CreateCapture {
  readonly machine: string;
  readonly mark: Mark;
  readonly name: string;
  readonly title: string | null;
}

const CAPTURABLE: ReadonlySet<string> = new Set(["active", "halted", "suspended", "failed"]);

export function createCapture(world: Remote, region: string, body: CreateCapture, at: number): Capture {
  const existing = world.captures.all().find((capture) => sameMark(capture.mark, body.mark));
  if (existing !== undefined) {
    if (existing.machine === body.machine && existing.region === region) return existing;
    throw new Refusal("other-request", `the mark stands for ${existing.id}, a copy of another machine`, {
      thing: pathOf(existing),
    });
  }
  const machine = markedMachineAt(world, region, body.machine);
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
    mark: body.mark,
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
  if (capture.mark === null) {
    throw new Refusal("not-ours", `snapshot ${id} bears no mark of Slipway`, { thing: pathOf(capture) });
  }
  world.changes += 1;
  world.captures.remove(id, at);
  return capture;
}
