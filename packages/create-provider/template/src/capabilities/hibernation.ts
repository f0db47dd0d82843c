import type { CallOptions, HibernationMethods } from "@slipway/core";
import type { LifeCycle } from "@slipway/provider-kit/driver";
import type { __Name__Client } from "../client/client.ts";
import { type __Name__SpawnOptions, HIBERNATION_TAG } from "../driver.ts";
import { refusal } from "../errors.ts";
import { statusOf, type __Name__Instance } from "../instance.ts";
import type { WireMachine } from "../wire.ts";

const ACTIONS = {
  hibernate: { action: "save", done: "hibernated" },
  resume: { action: "wake", done: "running" },
} as const;

export function hibernationMethods(
  client: __Name__Client,
  lifeCycle: Pick<LifeCycle<WireMachine, __Name__Instance, __Name__SpawnOptions, unknown>, "managed" | "view">,
): HibernationMethods<__Name__Instance> {
  const method =
    (operation: keyof typeof ACTIONS) =>
    async (id: string, { signal }: CallOptions = {}): Promise<__Name__Instance> => {
      const call = { operation, signal };
      const { action, done } = ACTIONS[operation];
      const found = await lifeCycle.managed(call, id);
      if (found.tags[HIBERNATION_TAG] === undefined) {
        throw refusal("INVALID_STATE", operation, `${id} was not spawned with hibernation: true`, { nativeId: id });
      }
      if (statusOf(found.state) === done) return lifeCycle.view(found);
      return lifeCycle.view(await client.act(call, id, action));
    };
  return { hibernate: method("hibernate"), resume: method("resume") };
}
