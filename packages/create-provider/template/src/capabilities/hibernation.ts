import type { CallOptions, HibernationMethods } from "@slipway/core";
import { isId, type __Name__Context } from "../context.ts";
import { refusal } from "../errors.ts";
import { materialize, statusOf, type __Name__Instance } from "../instance.ts";
import { ownershipOf } from "../ownership.ts";

const ACTIONS = {
  hibernate: { action: "save", done: "hibernated" },
  resume: { action: "wake", done: "running" },
} as const;

export function hibernationMethods(context: __Name__Context): HibernationMethods<__Name__Instance> {
  const method =
    (operation: keyof typeof ACTIONS) =>
    async (id: string, { signal }: CallOptions = {}): Promise<__Name__Instance> => {
      const call = { operation, signal };
      const { action, done } = ACTIONS[operation];
      const found = isId(id) ? await context.client.read(call, id) : null;
      if (found === null) throw refusal("NOT_FOUND", operation, `there is no instance ${JSON.stringify(id)}`);
      if (ownershipOf(found.tags)?.hibernation === undefined) {
        throw refusal("INVALID_STATE", operation, `${id} was not spawned with hibernation: true`, { nativeId: id });
      }
      if (statusOf(found.state) === done) return materialize(found);
      return materialize(await context.client.act(call, id, action));
    };
  return { hibernate: method("hibernate"), resume: method("resume") };
}
