import { CASE_IDS, type CaseGroup } from "./case-ids.ts";
import type { CaseBody, Cases, ContractCase } from "./contract-case.ts";
import { isProjected } from "./projected-cases.ts";
import { bootstrapCases } from "./topics/bootstrap.ts";
import { cancellationCases } from "./topics/cancellation.ts";
import { capabilitiesCases } from "./topics/capabilities.ts";
import { clusterCases } from "./topics/cluster.ts";
import { concurrencyCases } from "./topics/concurrency.ts";
import { costsCases } from "./topics/costs.ts";
import { effectCases } from "./topics/effect.ts";
import { errorsCases } from "./topics/errors.ts";
import { getCases } from "./topics/get.ts";
import { hibernationCases } from "./topics/hibernation.ts";
import { hooksCases } from "./topics/hooks.ts";
import { identityCases } from "./topics/identity.ts";
import { keyCases } from "./topics/key.ts";
import { listCases } from "./topics/list.ts";
import { networkingCases } from "./topics/networking.ts";
import { ownerCases } from "./topics/owner.ts";
import { packageCases } from "./topics/package.ts";
import { projectionCases } from "./topics/projection.ts";
import { redactionCases } from "./topics/redaction.ts";
import { regionsCases } from "./topics/regions.ts";
import { snapshotsCases } from "./topics/snapshots.ts";
import { spawnCases } from "./topics/spawn.ts";
import { spotCases } from "./topics/spot.ts";
import { tailscaleCases } from "./topics/tailscale.ts";
import { terminateCases } from "./topics/terminate.ts";
import { terminateByCases } from "./topics/terminate-by.ts";
import { volumesCases } from "./topics/volumes.ts";
import { warmVolumesCases } from "./topics/warm-volumes.ts";
import { workflowsCases } from "./topics/workflows.ts";

const GROUPS: { readonly [G in CaseGroup]: Cases<G> } = {
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

// The keys of CASE_IDS are the groups.
const GROUP_NAMES = Object.keys(CASE_IDS) as CaseGroup[];

/** The whole suite as data, in the order of its groups. */
export const cases: readonly ContractCase[] = GROUP_NAMES.flatMap((group) =>
  CASE_IDS[group].map((id): ContractCase => {
    // Cases<G> has exactly the ids of its group.
    const body = Reflect.get(GROUPS[group], id) as CaseBody;
    return { ...NEEDS_OF_GROUP[group], ...body, id, group, projected: isProjected(id) };
  }),
);
