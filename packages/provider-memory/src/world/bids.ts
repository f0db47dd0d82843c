import {
  buildMachine,
  type CreateMachine,
  checkRequest,
  deleteMachine,
  liveMachineOf,
  startDraft,
} from "./machines.ts";
import type { Bid } from "./records.ts";
import { Refusal } from "./refusals.ts";
import { newId, pathOf, type Remote, sameTag } from "./remote.ts";

/** Places a request for interruptible capacity, or answers the one that the tag has. */
export function createBid(world: Remote, region: string, body: CreateMachine, at: number): Bid {
  const existing = world.bids.all().findLast((bid) => sameTag(bid.tag, body.tag) && isOpen(world, bid));
  if (existing !== undefined) {
    if (existing.fingerprint === body.fingerprint) return existing;
    throw new Refusal("other-request", `the tag stands for ${existing.id}, which was asked for differently`, {
      thing: pathOf(existing),
    });
  }
  const machine = liveMachineOf(world, body.tag);
  if (machine !== undefined && machine.state !== "deleting") {
    throw new Refusal("other-request", `the tag stands for machine ${machine.id}`, { thing: pathOf(machine) });
  }
  checkRequest(world, region, body);
  const bid: Bid = {
    id: newId(world, "membid"),
    region,
    tag: body.tag,
    state: "waiting",
    fingerprint: body.fingerprint,
    machine: null,
    createdAt: at,
  };
  world.changes += 1;
  world.bids.put(bid, at);
  world.timeline.plan(at + world.settings.spotFillMs, (when) => fill(world, bid.id, body, when));
  return bid;
}

/** Does it still wait, or is its machine there? */
function isOpen(world: Remote, bid: Bid): boolean {
  if (bid.state === "waiting") return true;
  const machine = bid.machine === null ? undefined : world.machines.current(bid.machine);
  return bid.state === "filled" && machine !== undefined && machine.state !== "deleted";
}

function fill(world: Remote, id: string, body: CreateMachine, at: number): void {
  const bid = world.bids.current(id);
  if (bid?.state !== "waiting") return;
  try {
    if (world.downRegions.has(bid.region)) throw new Refusal("region-down");
    if (liveMachineOf(world, bid.tag) !== undefined) throw new Refusal("in-transition");
    const machine = buildMachine(world, bid.region, body, at);
    // Nobody is there for a second step.
    if (machine.state === "draft") startDraft(world, machine, at);
    world.bids.put({ ...bid, state: "filled", machine: machine.id }, at);
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    const waited = at - bid.createdAt;
    if (waited >= world.settings.spotPatienceMs) return world.bids.put({ ...bid, state: "lost" }, at);
    const next = Math.max(1, Math.min(world.settings.spotFillMs, world.settings.spotPatienceMs - waited));
    world.timeline.plan(at + next, (when) => fill(world, id, body, when));
  }
}

/** Ends the request and the machine that it made. */
export function withdrawBid(world: Remote, region: string, id: string, at: number): Bid {
  const bid = world.bids.current(id);
  if (bid === undefined || bid.region !== region) throw new Refusal("not-found", `there is no spot request ${id}`);
  const machine = bid.machine === null ? undefined : world.machines.current(bid.machine);
  if (machine !== undefined) deleteMachine(world, region, machine.id, at);
  if (bid.state === "withdrawn" || bid.state === "lost") return bid;
  world.changes += 1;
  const withdrawn: Bid = { ...bid, state: "withdrawn" };
  world.bids.put(withdrawn, at);
  return withdrawn;
}
