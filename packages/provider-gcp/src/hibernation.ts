import { type CallOptions, type HibernationMethods, isProviderError } from "@slipway/core";
import type { Call } from "@slipway/provider-kit/driver";
import { withEffect } from "@slipway/provider-kit/errors";
import { operationFailure } from "./errors.ts";
import type { GcpInstance, GcpLifeCycle } from "./instance.ts";
import { HIBERNATION_ITEM } from "./ownership.ts";
import { type GcpRemote, refusal } from "./remote.ts";
import type { WireInstance } from "./wire.ts";

/** What an action takes, what it leaves as it is, and what has to end first. */
interface Change {
  readonly action: "suspend" | "resume";
  readonly from: readonly string[];
  readonly done: readonly string[];
  readonly wait: readonly string[];
}

const STARTING = ["PENDING", "PROVISIONING", "STAGING", "REPAIRING"];
const SUSPEND: Change = {
  action: "suspend",
  from: ["RUNNING"],
  done: ["SUSPENDING", "SUSPENDED"],
  wait: STARTING,
};
const RESUME: Change = { action: "resume", from: ["SUSPENDED"], done: ["RUNNING", ...STARTING], wait: ["SUSPENDING"] };

/** Google suspends any instance that runs; only one that was spawned for it is, as the contract has it. */
export function hibernationMethods(remote: GcpRemote, lifeCycle: GcpLifeCycle): HibernationMethods<GcpInstance> {
  const change = async (
    operation: "hibernate" | "resume",
    what: Change,
    id: string,
    { signal }: CallOptions = {},
  ): Promise<GcpInstance> => {
    const call: Call = { operation, signal };
    const machine = await lifeCycle.managed(call, id);
    if (machine.metadata?.items[HIBERNATION_ITEM] !== "true") {
      throw refusal("INVALID_STATE", operation, `${id} was not spawned with hibernation`, { nativeId: machine.id });
    }
    if (what.done.includes(machine.status)) return lifeCycle.view(machine);
    if (what.wait.includes(machine.status)) {
      const more = { nativeId: machine.id, retryAfterMs: 5_000 };
      throw refusal("BUSY", operation, `${id} is still ${machine.status}`, more);
    }
    if (!what.from.includes(machine.status)) {
      throw refusal("INVALID_STATE", operation, `${id} is ${machine.status}`, { nativeId: machine.id });
    }
    await changed(remote, call, machine, what.action);
    const now = await remote.client.instance(call, machine.zone, machine.name).catch((error: unknown) => {
      throw isProviderError(error) ? withEffect(error, "applied") : error;
    });
    return lifeCycle.view(now?.id === machine.id ? now : machine);
  };
  return {
    hibernate: (id, options) => change("hibernate", SUSPEND, id, options),
    resume: (id, options) => change("resume", RESUME, id, options),
  };
}

/** To the end of the operation: there Google says whether the guest went along. */
async function changed(
  { client }: GcpRemote,
  call: Call,
  { id, zone }: WireInstance,
  action: Change["action"],
): Promise<void> {
  const sent = await client.change(call, zone, id, action, crypto.randomUUID());
  const ended = await client.finished(call, zone, sent).catch((error: unknown) => {
    throw isProviderError(error) ? withEffect(error, "unknown") : error;
  });
  const failure = operationFailure(ended, call.operation);
  // Google refuses what it cannot suspend, and the instance goes on as it was.
  if (failure !== null) throw failure.code === "INVALID_STATE" ? withEffect(failure, "none") : failure;
}
