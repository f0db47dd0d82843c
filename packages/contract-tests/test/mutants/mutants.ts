import { CASE_IDS, type CaseId } from "../../src/ids.ts";
import { bootstrapMutants } from "./bootstrap.ts";
import { capabilitiesMutants } from "./capabilities.ts";
import { capacityMutants } from "./capacity.ts";
import { clusterMutants } from "./cluster.ts";
import { failuresMutants } from "./failures.ts";
import { identityMutants } from "./identity.ts";
import { keyMutants } from "./key.ts";
import type { Mutant, MutantBody, NoMutant } from "./mutant.ts";
import { ownerMutants } from "./owner.ts";
import { readingMutants } from "./reading.ts";
import { ruleMutants } from "./rule-mutants.ts";
import { spawnMutants } from "./spawn.ts";
import { storageMutants } from "./storage.ts";
import { surroundingsMutants } from "./surroundings.ts";
import { terminateMutants } from "./terminate.ts";

// A new group joins a file whose groups are like it; the compiler demands a mutant for each case, or a reason.
const BODIES: { readonly [Id in CaseId]: MutantBody | NoMutant } = {
  ...identityMutants,
  ...ownerMutants,
  ...keyMutants,
  ...spawnMutants,
  ...terminateMutants,
  ...readingMutants,
  ...bootstrapMutants,
  ...capabilitiesMutants,
  ...failuresMutants,
  ...surroundingsMutants,
  ...storageMutants,
  ...capacityMutants,
  ...clusterMutants,
};

const ENTRIES = Object.values(CASE_IDS)
  .flat()
  .map((id) => ({ id, body: BODIES[id] }));

/** Every mutant of the suite. */
export const mutants: readonly Mutant[] = [
  ...ENTRIES.flatMap(({ id, body }) => ("none" in body ? [] : [{ ...body, id, kills: id }])),
  ...ruleMutants,
];

/** The cases that no provider can fail, and why they are there. */
export const casesWithoutMutant: readonly { readonly id: CaseId; readonly reason: string }[] = ENTRIES.flatMap(
  ({ id, body }) => ("none" in body ? [{ id, reason: body.none }] : []),
);
