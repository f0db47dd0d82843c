import { CASE_IDS, type CaseGroup } from "./case-ids.ts";
import { bootstrapCases } from "./cases/bootstrap.ts";
import { cancellationCases } from "./cases/cancellation.ts";
import { capabilitiesCases } from "./cases/capabilities.ts";
import { clusterCases } from "./cases/cluster.ts";
import { concurrencyCases } from "./cases/concurrency.ts";
import { costsCases } from "./cases/costs.ts";
import { effectCases } from "./cases/effect.ts";
import { errorsCases } from "./cases/errors.ts";
import { getCases } from "./cases/get.ts";
import { hibernationCases } from "./cases/hibernation.ts";
import { hooksCases } from "./cases/hooks.ts";
import { identityCases } from "./cases/identity.ts";
import { keyCases } from "./cases/key.ts";
import { listCases } from "./cases/list.ts";
import { networkingCases } from "./cases/networking.ts";
import { ownerCases } from "./cases/owner.ts";
import { packageCases } from "./cases/package.ts";
import { projectionCases } from "./cases/projection.ts";
import { redactionCases } from "./cases/redaction.ts";
import { regionsCases } from "./cases/regions.ts";
import { snapshotsCases } from "./cases/snapshots.ts";
import { spawnCases } from "./cases/spawn.ts";
import { spotCases } from "./cases/spot.ts";
import { tailscaleCases } from "./cases/tailscale.ts";
import { terminateCases } from "./cases/terminate.ts";
import { terminateByCases } from "./cases/terminate-by.ts";
import { volumesCases } from "./cases/volumes.ts";
import { warmVolumesCases } from "./cases/warm-volumes.ts";
import { workflowsCases } from "./cases/workflows.ts";
import type { CaseBody, Cases, ContractCase } from "./contract-case.ts";
import { isProjected } from "./projected-cases.ts";

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
