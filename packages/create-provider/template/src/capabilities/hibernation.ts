import type { CallOptions, HibernationMethods } from "@slipway/core";
import type { __Name__Client } from "../client/client.ts";
import { HIBERNATION_TAG, isId } from "../driver.ts";
import { refusal } from "../errors.ts";
import { statusOf, type __Name__Instance } from "../instance.ts";
import type { WireMachine } from "../wire.ts";

const ACTIONS = {
  hibernate: { action: "save", done: "hibernated" },
  resume: { action: "wake", done: "running" },
} as const;

/** `view`: a machine as the instance that `get` answers. */
export function hibernationMethods(
  client: __Name__Client,
  view: (machine: WireMachine) => __Name__Instance,
): HibernationMethods<__Name__Instance> {
  const method =
    (operation: keyof typeof ACTIONS) =>
    async (id: string, { signal }: CallOptions = {}): Promise<__Name__Instance> => {
      const call = { operation, signal };
      const { action, done } = ACTIONS[operation];
      const found = isId(id) ? await client.read(call, id) : null;
      if (found === null) throw refusal("NOT_FOUND", operation, `there is no instance ${JSON.stringify(id)}`);
      if (found.tags[HIBERNATION_TAG] === undefined) {
        throw refusal("INVALID_STATE", operation, `${id} was not spawned with hibernation: true`, { nativeId: id });
      }
      if (statusOf(found.state) === done) return view(found);
      return view(await client.act(call, id, action));
    };
  return { hibernate: method("hibernate"), resume: method("resume") };
}
