export { bare, type KillOptions, killMutants, type MutantResult } from "./kill.ts";
export type { Mutant, Mutate } from "./mutant.ts";
export { casesWithoutMutant, mutants } from "./mutants.ts";
