import { z } from "zod";
import { type ActionTable, action, type Call, filled, flag, list } from "./action.ts";
import { problem, Refused, refuse, type XmlFields } from "./answers.ts";
import { capacityIn, freeQuota, quotaProblem } from "./capacity.ts";
import { typeOf } from "./catalogue.ts";
import { found, INSTANCE } from "./found.ts";
import { bootTurn, forgetGuestEnd } from "./guest-timer.ts";
import { stateFields } from "./instance-view.ts";
import { checkReachable } from "./instances.ts";
import { ignoreFailure } from "./machines.ts";
import type { Instance } from "./things.ts";
import { beginEnd, type Turn, turnInstance } from "./transitions.ts";

const MOST_IDS = 1_000;

const terminate = z.strictObject({ InstanceId: list(filled), SkipOsShutdown: flag.optional(), Force: flag.optional() });
const stop = z.strictObject({
  InstanceId: list(filled),
  Hibernate: flag.optional(),
  Force: flag.optional(),
  SkipOsShutdown: flag.optional(),
});
const start = z.strictObject({ InstanceId: list(filled) });

export const instanceStateActions: ActionTable = {
  TerminateInstances: action(terminate, terminateInstances),
  StopInstances: action(stop, (call, { InstanceId, Hibernate = false, Force = false }) => {
    const ones = named(call, InstanceId);
    for (const one of ones) checkStop(one, Hibernate, Force, call);
    return changed(call, ones, (one) => stopTurn(one, Hibernate, call));
  }),
  StartInstances: action(start, (call, { InstanceId }) => {
    const ones = named(call, InstanceId);
    for (const one of ones) checkStart(call, one);
    return changed(call, ones, (one) =>
      one.state === "stopped"
        ? [
            { inMs: 0, patch: { state: "pending", reason: null, transition: "", launchedAt: call.now } },
            ...bootTurn(call, one),
          ]
        : [],
    );
  }),
  RebootInstances: action(start, (call, { InstanceId }) => {
    const ones = named(call, InstanceId);
    for (const { id, state } of ones) {
      if (state === "terminated" || state === "shutting-down") wrongState(id, "rebooted");
    }
    for (const { id } of ones) ignoreFailure(call.world.settings.machines?.reboot(id));
    return { return: true };
  }),
};

function named(call: Call, ids: readonly string[]): readonly Instance[] {
  if (ids.length === 0) refuse("MissingParameter", "The request must contain the parameter InstanceId");
  if (ids.length > MOST_IDS) refuse("InvalidParameterValue", `At most ${MOST_IDS} instance IDs may be given.`);
  const ones = found(INSTANCE, call.region.instances, ids, call.now);
  for (const { zone } of ones) checkReachable(call.region.impaired, zone);
  return ones;
}

function changed(call: Call, ones: readonly Instance[], turn: (one: Instance) => Turn): XmlFields {
  return {
    instancesSet: ones.map((one) => {
      const steps = turn(one);
      if (steps.length > 0) turnInstance(call, one.id, steps);
      const after = call.region.instances.get(one.id)?.at(call.now) ?? one;
      return {
        instanceId: one.id,
        currentState: stateFields(after.state),
        previousState: stateFields(one.state),
      };
    }),
  };
}

/** Protection shields all instances of its zone that the call names; those of other zones end although the call fails. */
function terminateInstances(call: Call, { InstanceId }: { readonly InstanceId: readonly string[] }): XmlFields {
  const ones = named(call, InstanceId);
  const shielded = new Set(ones.filter((one) => one.protected && one.state !== "terminated").map(({ zone }) => zone));
  const answer = changed(
    call,
    ones.filter(({ zone }) => !shielded.has(zone)),
    (one) => beginEnd(call, one),
  );
  const first = ones.find((one) => one.protected && one.state !== "terminated");
  if (first === undefined) return answer;
  throw new Refused(
    problem(
      "OperationNotPermitted",
      `The instance '${first.id}' may not be terminated. Modify its 'disableApiTermination' instance attribute and try again.`,
    ),
  );
}

function wrongState(id: string, what: string): never {
  return refuse("IncorrectInstanceState", `The instance '${id}' is not in a state from which it can be ${what}.`);
}

// The agent in the machine that makes it ready to hibernate needs so long after the launch.
const READY_TO_HIBERNATE_MS = 120_000;

function checkStop(one: Instance, hibernate: boolean, force: boolean, { region, now }: Call): void {
  if (one.state === "terminated" || one.state === "shutting-down") wrongState(one.id, "stopped");
  if (one.state === "pending" && !force) wrongState(one.id, "stopped");
  const request = one.spotRequestId === null ? undefined : region.spotRequests.get(one.spotRequestId)?.at(now);
  if (request?.persistent === false) {
    refuse(
      "UnsupportedOperation",
      `You can't stop the Spot Instance '${one.id}' because it is associated with a one-time Spot Instance request. You can only stop Spot Instances associated with persistent Spot Instance requests.`,
    );
  }
  if (!hibernate) return;
  if (!one.hibernation) {
    refuse("UnsupportedHibernationConfiguration", `The instance '${one.id}' is not enabled for hibernation.`);
  }
  if (one.state === "running" && now - one.launchedAt < READY_TO_HIBERNATE_MS) {
    refuse("UnsupportedOperation", `The instance '${one.id}' is not ready to hibernate yet. Retry in a few minutes.`);
  }
}

function stopTurn(one: Instance, hibernate: boolean, call: Call): Turn {
  const { world, now } = call;
  if (one.state === "stopped" || one.state === "stopping") return [];
  forgetGuestEnd(call, one);
  const reason = hibernate
    ? { code: "Client.UserInitiatedHibernate", message: "Client.UserInitiatedHibernate: User initiated hibernate" }
    : { code: "Client.UserInitiatedShutdown", message: "Client.UserInitiatedShutdown: User initiated shutdown" };
  const transition = `User initiated (${new Date(now).toISOString().slice(0, 19).replace("T", " ")} GMT)`;
  return [
    { inMs: 0, patch: { state: "stopping", reason, transition } },
    { inMs: world.settings.stopMs, patch: { state: "stopped" } },
  ];
}

function checkStart(call: Call, one: Instance): void {
  if (one.state === "running" || one.state === "pending") return;
  if (one.state !== "stopped") wrongState(one.id, "started");
  const type = typeOf(one.type);
  const subnet = call.region.subnets.find(({ id }) => id === one.subnetId);
  if (type === undefined || subnet === undefined) return;
  if (freeQuota(call.world, call.region, type, one.market) < 1) {
    throw new Refused(quotaProblem(call.world, call.region, one.market));
  }
  // It has its address already, and cannot move to another zone.
  const place = capacityIn(call, type, one.market, subnet, 1);
  if ("problem" in place && place.problem.code !== "InsufficientFreeAddressesInSubnet")
    throw new Refused(place.problem);
}
