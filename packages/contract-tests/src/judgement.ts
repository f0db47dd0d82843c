import type { Instance, Provider, ProviderError } from "@slipway/core";
import type { CaseContext } from "./case-context.ts";
import { difference } from "./census.ts";
import { errorOf, must, mustEqual, settled } from "./conformance-failure.ts";

/** Runs a write and holds the effect that its error says against what the inspector saw; answers the error. */
export async function judged(
  { census, clock }: CaseContext,
  what: string,
  act: () => Promise<unknown>,
  lateMs = 0,
): Promise<ProviderError | undefined> {
  const before = await census();
  const error = errorOf(await settled(act));
  // What is delayed may still happen after the call has given up.
  if (lateMs > 0) await clock.sleep(lateMs);
  const changed = difference(before, await census());
  must(
    error?.effect !== "none" || changed === null,
    "EFFECT-02",
    `${what} says ${error?.code} with effect none, and the remote changed (${changed})`,
    "Say none only for a documented refusal; once the request is sent and unanswered it is unknown.",
  );
  return error;
}

/** After an unclear spawn: what list finds by key is what the remote holds. */
export async function listFindsWhatIsThere(
  context: CaseContext,
  key: string,
  born: readonly string[],
  by: Provider = context.provider,
): Promise<void> {
  await context.settle();
  const found: readonly Instance[] = await by.list({ keys: [key] });
  const nativeIds = found.map(({ nativeId }) => nativeId).sort();
  mustEqual("EFFECT-04", "list({ keys })", nativeIds, [...born].sort(), "Write owner and key in the creating call.");
}
