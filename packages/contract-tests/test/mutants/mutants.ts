import { CASE_IDS, type CaseGroup, type CaseId } from "../../src/case-ids.ts";
import { bootstrapMutants } from "./bootstrap.ts";
import { capabilitiesMutants } from "./capabilities.ts";
import {
  costsMutants,
  hibernationMutants,
  networkingMutants,
  spotMutants,
  tailscaleMutants,
  terminateByMutants,
} from "./capacity.ts";
import { clusterMutants } from "./cluster.ts";
import { cancellationMutants, concurrencyMutants, effectMutants, errorsMutants } from "./failures.ts";
import { identityMutants } from "./identity.ts";
import { keyMutants } from "./key.ts";
import type { Mutant, MutantBody, MutantsOf, NoMutant } from "./mutant.ts";
import { ownerMutants } from "./owner.ts";
import { getMutants, listMutants, regionsMutants } from "./reading.ts";
import { ruleMutants } from "./rule-mutants.ts";
import { spawnMutants } from "./spawn.ts";
import { snapshotsMutants, volumesMutants, warmVolumesMutants } from "./storage.ts";
import { hooksMutants, packageMutants, projectionMutants, redactionMutants, workflowsMutants } from "./surroundings.ts";
import { terminateMutants } from "./terminate.ts";

const GROUPS: { readonly [G in CaseGroup]: MutantsOf<G> } = {
  identity: identityMutants,
  owner: ownerMutants,
  key: keyMutants,
  spawn: spawnMutants,
  terminate: terminateMutants,
  get: getMutants,
  list: listMutants,
  regions: regionsMutants,
  bootstrap: bootstrapMutants,
  capabilities: capabilitiesMutants,
  errors: errorsMutants,
  effect: effectMutants,
  concurrency: concurrencyMutants,
  cancellation: cancellationMutants,
  hooks: hooksMutants,
  redaction: redactionMutants,
  projection: projectionMutants,
  snapshots: snapshotsMutants,
  spot: spotMutants,
  volumes: volumesMutants,
  "warm-volumes": warmVolumesMutants,
  hibernation: hibernationMutants,
  costs: costsMutants,
  tailscale: tailscaleMutants,
  networking: networkingMutants,
  "terminate-by": terminateByMutants,
  package: packageMutants,
  workflows: workflowsMutants,
  cluster: clusterMutants,
};

// The keys of CASE_IDS are the groups, and MutantsOf<G> has exactly the ids of its group.
const ENTRIES = (Object.keys(CASE_IDS) as CaseGroup[]).flatMap((group) =>
  CASE_IDS[group].map((id) => ({ id, body: Reflect.get(GROUPS[group], id) as MutantBody | NoMutant })),
);

/** Every mutant of the suite. */
export const mutants: readonly Mutant[] = [
  ...ENTRIES.flatMap(({ id, body }) => ("none" in body ? [] : [{ ...body, id, kills: id }])),
  ...ruleMutants,
];

/** The cases that no provider can fail, and why they are there. */
export const casesWithoutMutant: readonly { readonly id: CaseId; readonly reason: string }[] = ENTRIES.flatMap(
  ({ id, body }) => ("none" in body ? [{ id, reason: body.none }] : []),
);
