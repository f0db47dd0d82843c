import { ok, refuse, refuseMissing } from "./answers.ts";
import type { Handler } from "./handler.ts";
import { shownOperation } from "./views.ts";
import { findIn, newOperation, type StoredInstance, statusAt, turn, type World } from "./world.ts";

const SUSPENDING_MS = 20_000;
const RESUMING_MS = 10_000;

export const suspendInstance: Handler = (world, request) => {
  const found = known(world, request);
  if (statusAt(found, world.clock.now()) !== "RUNNING") refuseState(found);
  turn(world, found, { inMs: 0, status: "SUSPENDING" }, { inMs: SUSPENDING_MS, status: "SUSPENDED" });
  return begun(world, request, found, "suspend", SUSPENDING_MS);
};

export const resumeInstance: Handler = (world, request) => {
  const found = known(world, request);
  if (statusAt(found, world.clock.now()) !== "SUSPENDED") refuseState(found);
  turn(world, found, { inMs: 0, status: "STAGING" }, { inMs: RESUMING_MS, status: "RUNNING" });
  return begun(world, request, found, "resume", RESUMING_MS);
};

type Request = Parameters<Handler>[1];

function known(world: World, { zone, name }: Request): StoredInstance {
  const found = findIn(world, zone, name);
  return found ?? refuseMissing(`projects/${world.settings.project}/zones/${zone}/instances/${name}`);
}

function refuseState({ name }: StoredInstance): never {
  return refuse(400, "resourceNotReady", `The resource 'instances/${name}' is not ready for this.`);
}

function begun(world: World, { query }: Request, { id, name, zone }: StoredInstance, type: string, lastsMs: number) {
  const about = { zone, type, targetId: id, targetName: name, requestId: query.get("requestId") ?? undefined, lastsMs };
  return ok(shownOperation(world, newOperation(world, about), world.clock.now()));
}
