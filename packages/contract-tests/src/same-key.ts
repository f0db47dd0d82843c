import type { BaseSpawnOptions, Instance, Provider } from "@slipway/core";
import type { CaseContext } from "./case-context.ts";
import { mustEqual, mustResolve, NotApplicable } from "./conformance-failure.ts";
import type { RuleId } from "./ids.ts";

type Varied = "labels" | "bootstrap" | "expiresAt" | "name";

// Each alone makes another spec. Labels first, since they cost nothing.
const VARIATIONS: { readonly [Option in Varied]: (base: BaseSpawnOptions) => BaseSpawnOptions } = {
  labels: (base) => ({ labels: { ...base.labels, variant: "other" } }),
  bootstrap: () => ({ bootstrap: { script: "exit 0 # another" } }),
  expiresAt: () => ({ expiresAt: "2199-12-31T23:59:59Z" }),
  name: () => ({ name: "another" }),
};

/**
 * Requests for the same key that ask for something else, each in one option. Where the remote keeps too little to tell
 * them apart, the harness says what it can tell.
 */
export function otherSpecs({ harness, subject }: CaseContext): readonly BaseSpawnOptions[] {
  if (harness.otherSpawnOptions !== undefined) return [harness.otherSpawnOptions()];
  const base = harness.spawnOptions();
  // The keys of an object literal typed by Varied.
  const honoured = (Object.keys(VARIATIONS) as Varied[]).filter(
    (option) => subject.refuses[option] === undefined && (option !== "labels" || subject.limits.maxLabels > 0),
  );
  if (honoured.length === 0) {
    throw new NotApplicable(
      "the provider honours none of labels, bootstrap, expiresAt and name: give otherSpawnOptions",
    );
  }
  return honoured.map((option) => ({ ...base, ...VARIATIONS[option](base) }));
}

/** One of them. */
export function otherSpec(context: CaseContext): BaseSpawnOptions {
  const [first] = otherSpecs(context);
  if (first === undefined) throw new NotApplicable("there is no other spec here");
  return first;
}

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
