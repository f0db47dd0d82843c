import type { HibernationMethods } from "@slipway/core";
import { inRegionsOrThrow, instanceFrom, type MemoryContext } from "../context.ts";
import type { MemoryInstance } from "../instance.ts";
import { machine } from "../wire.ts";

export function hibernationMethods(context: MemoryContext): HibernationMethods<MemoryInstance> {
  const send =
    (operation: "hibernate" | "resume", request: "machines.suspend" | "machines.wake") =>
    (instanceId: string, { signal }: { readonly signal?: AbortSignal | undefined } = {}): Promise<MemoryInstance> => {
      const call = { operation, signal };
      return inRegionsOrThrow(context, call, instanceId, "mem", async (region, id) =>
        instanceFrom(context, await context.client.send(call, request, region, { id }, machine)),
      );
    };
  return { hibernate: send("hibernate", "machines.suspend"), resume: send("resume", "machines.wake") };
}
