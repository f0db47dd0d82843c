import type { ResultKind } from "@slipway/core";
import type { CaseId } from "./ids.ts";

/** What core's projection stands between: a provider's data, arguments and errors as they pass, and each kind of answer. */
type ProjectionSubject = "description" | "arguments" | "errors" | ResultKind;

/**
 * The cases that run on the projected provider too: those that look at something that projection can change. All others
 * would make the same calls and see the same answers once more. A kind of answer without a case here does not compile,
 * and whatever change of projection the whole suite would find, these find: test/projection tries each.
 */
const PROJECTED_CASES: { readonly [S in ProjectionSubject]: readonly [CaseId, ...CaseId[]] } = {
  description: [
    "identity.description",
    "identity.owner",
    "identity.contract-version",
    "identity.flags",
    "spawn.shape",
    "spawn.refuses",
    "bootstrap.rendered",
  ],
  arguments: ["cancellation.before", "list.by-key", "spot.prices-filtered"],
  errors: [
    "errors.branded",
    "effect.snapshot-answer-lost",
    "effect.volume-answer-lost",
    "volumes.delete-attached",
    "hibernation.unknown",
  ],
  instance: [
    "get.shape",
    "get.unknown",
    "spawn.expires-at",
    "bootstrap.succeeds",
    "bootstrap.fails",
    "hibernation.cycle",
    "terminate-by.told",
  ],
  instances: ["list.same-as-get", "list.hides-terminated"],
  snapshot: ["snapshots.created"],
  snapshots: ["snapshots.listed"],
  volume: ["volumes.created", "warm-volumes.warmed", "warm-volumes.claimed", "warm-volumes.none-free"],
  volumes: ["volumes.listed", "volumes.attached"],
  spotRequest: ["spot.requested"],
  spotPrices: ["spot.prices"],
  regions: ["regions.listed"],
  costs: ["costs.amounts"],
  nothing: ["terminate.gone", "spot.cancelled", "warm-volumes.released"],
  plain: ["snapshots.becomes-available"],
};

const PROJECTED_IDS: ReadonlySet<string> = new Set(Object.values(PROJECTED_CASES).flat());

/** Does the case run on the projected provider too? */
export function isProjected(id: CaseId): boolean {
  return PROJECTED_IDS.has(id);
}
