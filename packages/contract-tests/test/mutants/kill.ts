import { BUILTIN_CAPABILITIES, type BuiltinCapability, restrict } from "@slipway/core";
import { type CaseResult, runCase } from "../../src/case-result.ts";
import type { Harness, HarnessFactory } from "../../src/harness.ts";
import type { CaseId, RuleId } from "../../src/ids.ts";
import { plan } from "../../src/plan.ts";
import type { Mutant, Mutate } from "./mutant.ts";
import { mutants as all } from "./mutants.ts";

/** What became of one mutant. */
export interface MutantResult {
  readonly id: string;
  readonly kills: CaseId;
  readonly does: string;
  /** Did the case that it is for fail? */
  readonly killed: boolean;
  /** The rule that the case found broken; null where it failed by something else. */
  readonly rule: RuleId | null;
  /** Cases that failed without being named, with what they said: the mutant changes more than one behaviour. */
  readonly unexpected: readonly string[];
  /** Cases named in `alsoKills` that passed: the list says too much. */
  readonly survivedBy: readonly CaseId[];
}

export interface KillOptions {
  /** All if absent. */
  readonly mutants?: readonly Mutant[] | undefined;
  /** Only the cases that a mutant names are run, not all others: quicker, and it does not show side effects. */
  readonly namedOnly?: boolean | undefined;
  readonly onResult?: ((result: MutantResult) => void) | undefined;
}

/**
 * Runs the suite over every mutant of a provider that conforms. The factory's provider needs all eleven capabilities,
 * and its harness every optional part: what a case cannot be run on cannot kill.
 */
export async function killMutants(
  factory: HarnessFactory,
  options: KillOptions = {},
): Promise<readonly MutantResult[]> {
  const results: MutantResult[] = [];
  for (const mutant of options.mutants ?? all) {
    const result = await killed(mutant, factory, options.namedOnly === true);
    results.push(result);
    options.onResult?.(result);
  }
  return results;
}

async function killed(mutant: Mutant, factory: HarnessFactory, namedOnly: boolean): Promise<MutantResult> {
  const { id, kills, does, alsoKills = {} } = mutant;
  const mutated: HarnessFactory = async () => {
    const harness = await factory();
    return mutant.mutate(mutant.world === "bare" ? bare(harness) : harness);
  };
  const harness = await mutated();
  const planned = plan(harness).filter((one) => one.fate.kind === "run");
  await harness.close();
  const failed = new Map<string, CaseResult>();
  for (const { case: one } of planned) {
    if (namedOnly && one.id !== kills && !(one.id in alsoKills)) continue;
    const result = await runCase(one, mutated, "plain");
    if (result.status === "failed") failed.set(one.id, result);
  }
  return {
    id,
    kills,
    does,
    killed: failed.has(kills),
    rule: failed.get(kills)?.rule ?? null,
    unexpected: [...failed].flatMap(([name, { reason }]) =>
      name === kills || name in alsoKills ? [] : [`${name}: ${reason ?? ""}`],
    ),
    // Written as an object of case ids.
    survivedBy: (Object.keys(alsoKills) as CaseId[]).filter((name) => !failed.has(name)),
  };
}

const WITHOUT_PROVIDER: Readonly<Record<string, true>> = { onStartup: true, onShutdown: true, onHeartbeat: true };

/** The same harness with every capability off. */
export const bare: Mutate = (harness: Harness): Harness => {
  const [first, ...rest] = BUILTIN_CAPABILITIES;
  // BUILTIN_CAPABILITIES has eleven names.
  const names: readonly [BuiltinCapability, ...BuiltinCapability[]] = [first ?? "snapshots", ...rest];
  const provider = restrict(harness.registration.provider, ...names);
  return {
    ...harness,
    capabilityOptions: {},
    // A row of an operation that is gone would never be emitted.
    errorTable: harness.errorTable?.filter(({ operation }) => operation in provider || operation in WITHOUT_PROVIDER),
    registration: { ...harness.registration, provider },
    another: async (options) => restrict(await harness.another(options), ...names),
  };
};
