import type { Capability } from "@slipway/core";
import type { CaseContext } from "./case-context.ts";
import type { CaseGroup, CaseId, CaseIdOf, RuleId } from "./ids.ts";

/** An optional part of a harness, or of its registration, without which a case cannot run. */
export type HarnessFeature =
  | "faults"
  | "errorTable"
  | "transcript"
  | "unmanaged"
  | "unmanagedVolume"
  | "crash"
  | "unknownState"
  | "foreignNotFound"
  | "cluster"
  | "workflows"
  | "package";

/** What a group's file says of a case; the id is its name in the group. */
export interface CaseBody {
  /** What a provider that passes does, in one sentence. */
  readonly title: string;
  /** The rules that it checks; a failure names one of them. */
  readonly rules: readonly [RuleId, ...RuleId[]];
  /** Selected where the provider's own flag is so. */
  readonly capability?: { readonly name: Capability; readonly when: "on" | "off" };
  readonly needs?: readonly HarnessFeature[];
  /** A new or stricter case: its failure is reported and does not fail the run until the suite's next major version. */
  readonly advisory?: true;
  /** Throws a ConformanceFailure where the provider breaks a rule, NotApplicable where it cannot be told. */
  readonly run: (context: CaseContext) => Promise<void>;
}

/** A group's cases: the compiler demands each id of the group, and no other. */
export type Cases<G extends CaseGroup> = { readonly [Id in CaseIdOf<G>]: CaseBody };

/** One case of the suite, as data. */
export interface ContractCase extends CaseBody {
  /** Of the suite's own, or `<capability>/<case>` where a third party's capability brought it. */
  readonly id: CaseId | (string & {});
  readonly group: CaseGroup | "third-party";
  /** It looks at something that core's projection can change, so it runs projected too. */
  readonly projected?: boolean;
}
