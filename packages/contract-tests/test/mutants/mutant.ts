import type { Harness } from "../../src/harness.ts";
import type { CaseGroup, CaseId, CaseIdOf } from "../../src/ids.ts";

/** What a mutant does to a harness that conforms: one behaviour changed. */
export type Mutate = (harness: Harness) => Harness;

/** The mutant that a case must fail on: without it nobody knows that the case can fail at all. */
export interface MutantBody {
  /** What the mutated provider does wrong. */
  readonly does: string;
  /** `bare`: needs a provider whose capabilities are off. */
  readonly world?: "bare";
  readonly mutate: Mutate;
  /** Other cases that fail on it, and why that cannot be helped. */
  readonly alsoKills?: { readonly [Id in CaseId]?: string };
}

/** A case that no provider can fail, and why it is there all the same. */
export interface NoMutant {
  readonly none: string;
}

/** The mutants of these groups: the compiler demands one for each case, or a reason. */
export type MutantsOf<G extends CaseGroup> = { readonly [Id in CaseIdOf<G>]: MutantBody | NoMutant };

/** A mutant as it is run. */
export interface Mutant extends MutantBody {
  /** Unique; that of the case where it is the case's own. */
  readonly id: string;
  /** The case that must fail on it. */
  readonly kills: CaseId;
}
