import type { BaseSpawnOptions, Instance, Provider } from "@slipway/core";
import type { CaseContext } from "../case-context.ts";
import { mustEqual, mustResolve } from "../conformance-failure.ts";
import type { RuleId } from "../rules.ts";

/** The same key and spec again: the first instance is answered, and the remote is exactly as before. */
export async function repeatedKeyMustAnswer(
  context: CaseContext,
  rule: RuleId,
  options: BaseSpawnOptions,
  first: Instance,
  by: Provider = context.provider,
): Promise<void> {
  const again = await context.unchanged(rule, "a spawn of the same key", () =>
    mustResolve(rule, "a spawn of the same key", () => by.spawn(options), "Compare core's specHash of what you send."),
  );
  mustEqual(rule, "the id of the second answer", again.id, first.id, "Look the key up before you create anything.");
}
