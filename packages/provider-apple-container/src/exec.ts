import type { ExecMethods, Operation } from "@slipway/core";
import { execMethod } from "@slipway/provider-kit/command";
import type { Call } from "@slipway/provider-kit/driver";
import type { AppleContainerContext } from "./context.ts";
import { containerOf } from "./driver.ts";
import { refusal } from "./errors.ts";
import { tagsOf } from "./tags.ts";
import type { WireContainer } from "./wire.ts";

/** Runs a program inside, with its argument list as it is. Aborted, it goes on inside: the command passes no signals on. */
export function execInside(context: AppleContainerContext): ExecMethods["exec"] {
  return execMethod(refusal, async (call, id, argv, input) => {
    const wire = await mustRun(context, call, id);
    return await context.client.exec(call, wire.id, argv, input);
  });
}

/** The running container of an instance; NOT_FOUND or INVALID_STATE. */
async function mustRun(context: AppleContainerContext, call: Call, id: string): Promise<WireContainer> {
  const wire = await mustFind(context, call, id);
  if (wire.status.state === "running") return wire;
  throw refusal("INVALID_STATE", call.operation, `${id} is ${wire.status.state}`, { nativeId: wire.id });
}

export async function mustFind(context: AppleContainerContext, call: Call, id: string): Promise<WireContainer> {
  const wire = await containerOf(context, call, id);
  if (wire === null || tagsOf(wire) === null) throw missing(call.operation, id);
  return wire;
}

function missing(operation: Operation, id: string): Error {
  return refusal("NOT_FOUND", operation, `there is no instance ${JSON.stringify(id)}`);
}
