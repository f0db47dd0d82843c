import { capabilityDefinitionsOf, type Provider } from "@slipway/core";
import type { Mode } from "./case-context.ts";
import type { ContractCase, HarnessFeature } from "./contract-case.ts";
import type { Harness } from "./harness.ts";
import type { Skip } from "./skips.ts";
import { cases as suite } from "./topics.ts";

/** What becomes of a case that the provider's capabilities select. */
export type Fate =
  | { readonly kind: "run" }
  | { readonly kind: "skipped"; readonly reason: string }
  | { readonly kind: "not-applicable"; readonly reason: string };

export interface PlannedCase {
  readonly case: ContractCase;
  readonly fate: Fate;
}

// What the report says where a harness, or its registration, lacks a part.
const MISSING: { readonly [F in HarnessFeature]: string } = {
  faults: "the harness has no faults",
  errorTable: "the harness has no errorTable",
  transcript: "the harness has no transcript",
  unmanaged: "the harness's inspector adds no unmanaged machines",
  unmanagedVolume: "the harness makes no volume that Slipway did not make",
  crash: "the harness's inspector makes nothing crash",
  unknownState: "the harness cannot show a state that the provider does not know",
  foreignNotFound: "the harness puts no gateway between provider and remote",
  cluster: "the registration has no clusters",
  workflows: "the registration has no workflows",
  package: "the harness has no package",
};

function features({ registration, inspector, ...harness }: Harness): { readonly [F in HarnessFeature]: unknown } {
  return {
    faults: harness.faults,
    errorTable: harness.errorTable,
    transcript: harness.transcript,
    unmanaged: inspector.addUnmanaged,
    unmanagedVolume: inspector.addUnmanagedVolume,
    crash: inspector.crash,
    unknownState: inspector.showUnknownState,
    foreignNotFound: harness.foreignNotFound,
    cluster: registration.cluster,
    workflows: registration.workflows,
    package: harness.package,
  };
}

/**
 * The cases that this registration must pass, in order. Capabilities are read from the provider alone: a harness cannot
 * switch one off. A case of the other branch of a flag is not in the plan at all.
 */
export function plan(
  harness: Harness,
  skips: readonly Skip[] = [],
  cases: readonly ContractCase[] = suite,
): readonly PlannedCase[] {
  const { provider } = harness.registration;
  const has = features(harness);
  return [...cases, ...thirdPartyCases(provider)]
    .filter((one) => isSelected(one, provider))
    .map((one) => {
      const skip = skips.find(({ id }) => id === one.id);
      if (skip !== undefined) return { case: one, fate: { kind: "skipped", reason: skip.reason } };
      const missing = one.needs?.find((feature) => has[feature] === undefined);
      if (missing === undefined) return { case: one, fate: { kind: "run" } };
      return { case: one, fate: { kind: "not-applicable", reason: MISSING[missing] } };
    });
}

/** What a mode runs of a plan: all of it plain, and projected only what projection can change. */
export function plannedIn(mode: Mode, planned: readonly PlannedCase[]): readonly PlannedCase[] {
  return mode === "plain" ? planned : planned.filter((one) => one.case.projected === true);
}

function isSelected({ capability }: ContractCase, provider: Provider): boolean {
  return capability === undefined || (provider.capabilities[capability.name] === true) === (capability.when === "on");
}

/** The cases that packages brought with capabilities of their own. */
function thirdPartyCases(provider: Provider): readonly ContractCase[] {
  return capabilityDefinitionsOf(provider).flatMap(({ name, cases }) =>
    cases.map(
      (one): ContractCase => ({
        id: `${name}/${one.id}`,
        group: "third-party",
        title: one.title,
        rules: ["CAP-02"],
        capability: { name, when: "on" },
        projected: true,
        run: ({ provider: tracked, request }) => one.run({ provider: tracked, spawnOptions: () => request() }),
      }),
    ),
  );
}
