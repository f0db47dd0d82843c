import type { Capability, ResultKind } from "@slipway/core";
import type { CaseBody, Cases, ContractCase } from "./contract-case.ts";
import { CASE_IDS, type CaseGroup, type CaseId, type RuleId, type RuleSection } from "./ids.ts";
import { bootstrapCases, bootstrapRules } from "./topics/bootstrap.ts";
import { cancellationCases, cancellationRules } from "./topics/cancellation.ts";
import { capabilitiesCases, capabilitiesRules } from "./topics/capabilities.ts";
import { clusterCases, clusterRules } from "./topics/cluster.ts";
import { concurrencyCases, concurrencyRules } from "./topics/concurrency.ts";
import { costsCases, costsRules } from "./topics/costs.ts";
import { effectCases, effectRules } from "./topics/effect.ts";
import { errorsCases, errorsRules } from "./topics/errors.ts";
import { getCases, getRules } from "./topics/get.ts";
import { hibernationCases, hibernationRules } from "./topics/hibernation.ts";
import { hooksCases, hooksRules } from "./topics/hooks.ts";
import { idempotencyRules } from "./topics/idempotency.ts";
import { identityCases, identityRules } from "./topics/identity.ts";
import { keyCases, keyRules } from "./topics/key.ts";
import { launchRules } from "./topics/launch.ts";
import { listCases, listRules } from "./topics/list.ts";
import { networkingCases, networkingRules } from "./topics/networking.ts";
import { ownerCases, ownerRules } from "./topics/owner.ts";
import { packageCases, packageRules } from "./topics/package.ts";
import { projectionCases, projectionRules } from "./topics/projection.ts";
import { redactionCases, redactionRules } from "./topics/redaction.ts";
import { regionsCases, regionsRules } from "./topics/regions.ts";
import { snapshotsCases, snapshotsRules } from "./topics/snapshots.ts";
import { spawnCases, spawnRules } from "./topics/spawn.ts";
import { spotCases, spotRules } from "./topics/spot.ts";
import { tailscaleCases, tailscaleRules } from "./topics/tailscale.ts";
import { terminateCases, terminateRules } from "./topics/terminate.ts";
import { terminateByCases, terminateByRules } from "./topics/terminate-by.ts";
import { volumesCases, volumesRules } from "./topics/volumes.ts";
import { warmVolumesCases, warmVolumesRules } from "./topics/warm-volumes.ts";
import { workflowsCases, workflowsRules } from "./topics/workflows.ts";

// A topic has its lines here and its ids in ids.ts. The compiler demands the cases of every group, and a sentence for
// every rule.
const CASES_OF_GROUP: { readonly [G in CaseGroup]: Cases<G> } = {
  identity: identityCases,
  owner: ownerCases,
  key: keyCases,
  spawn: spawnCases,
  terminate: terminateCases,
  get: getCases,
  list: listCases,
  regions: regionsCases,
  bootstrap: bootstrapCases,
  capabilities: capabilitiesCases,
  errors: errorsCases,
  effect: effectCases,
  concurrency: concurrencyCases,
  cancellation: cancellationCases,
  hooks: hooksCases,
  redaction: redactionCases,
  projection: projectionCases,
  snapshots: snapshotsCases,
  spot: spotCases,
  volumes: volumesCases,
  "warm-volumes": warmVolumesCases,
  hibernation: hibernationCases,
  costs: costsCases,
  tailscale: tailscaleCases,
  networking: networkingCases,
  "terminate-by": terminateByCases,
  package: packageCases,
  workflows: workflowsCases,
  cluster: clusterCases,
};

/** What every case of a group needs. */
const NEEDS_OF_GROUP: { readonly [G in CaseGroup]?: Pick<CaseBody, "capability" | "needs"> } = {
  regions: { capability: { name: "multiRegion", when: "on" } },
  snapshots: { capability: { name: "snapshots", when: "on" } },
  spot: { capability: { name: "spot", when: "on" } },
  volumes: { capability: { name: "persistentVolumes", when: "on" } },
  "warm-volumes": { capability: { name: "warmVolumes", when: "on" } },
  hibernation: { capability: { name: "hibernation", when: "on" } },
  costs: { capability: { name: "costExplorer", when: "on" } },
  tailscale: { capability: { name: "tailscaleNative", when: "on" } },
  networking: { capability: { name: "customNetworking", when: "on" } },
  "terminate-by": { capability: { name: "terminateBy", when: "on" } },
  cluster: { needs: ["cluster"] },
};

/** What CONTRACT.md says under each number. */
export const SENTENCES: { readonly [Id in RuleId]: string } = {
  ...identityRules,
  ...ownerRules,
  ...keyRules,
  ...idempotencyRules,
  ...getRules,
  ...spawnRules,
  ...terminateRules,
  ...listRules,
  ...bootstrapRules,
  ...capabilitiesRules,
  ...projectionRules,
  ...regionsRules,
  ...snapshotsRules,
  ...spotRules,
  ...volumesRules,
  ...warmVolumesRules,
  ...hibernationRules,
  ...costsRules,
  ...tailscaleRules,
  ...networkingRules,
  ...terminateByRules,
  ...launchRules,
  ...errorsRules,
  ...effectRules,
  ...redactionRules,
  ...cancellationRules,
  ...concurrencyRules,
  ...hooksRules,
  ...packageRules,
  ...workflowsRules,
  ...clusterRules,
};

/** The sections that bind only providers with a capability. */
export const CAPABILITY_OF_SECTION: { readonly [S in RuleSection]?: Capability } = {
  IDEM: "idempotentSpawn",
  REGION: "multiRegion",
  GPU: "gpu",
  SNAP: "snapshots",
  SPOT: "spot",
  VOL: "persistentVolumes",
  WARM: "warmVolumes",
  HIBER: "hibernation",
  COST: "costExplorer",
  TAIL: "tailscaleNative",
  NET: "customNetworking",
  EXP: "terminateBy",
};

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

// The keys of CASE_IDS are the groups.
const GROUP_NAMES = Object.keys(CASE_IDS) as CaseGroup[];

/** The whole suite as data, in the order of its groups. */
export const cases: readonly ContractCase[] = GROUP_NAMES.flatMap((group) =>
  CASE_IDS[group].map((id): ContractCase => {
    // Cases<G> has exactly the ids of its group.
    const body = Reflect.get(CASES_OF_GROUP[group], id) as CaseBody;
    return { ...NEEDS_OF_GROUP[group], ...body, id, group, projected: PROJECTED_IDS.has(id) };
  }),
);
