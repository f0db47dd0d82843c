import type { ProviderRegistry, Registrations } from "@slipway/core";
import type { Mode } from "./case-context.ts";
import type { CaseResult } from "./case-result.ts";
import { DEFAULT_CASE_TIMEOUT_MS } from "./case-result.ts";
import type { HarnessFactory } from "./harness.ts";
import { plannedIn } from "./plan.ts";
import { renderCauses } from "./render-report.ts";
import { incomplete, sharedCauses } from "./report.ts";
import { MODES, prepareRun, runPlanned } from "./run.ts";
import type { Skip } from "./skips.ts";
import { SUITE_VERSION } from "./suite-version.ts";

/** What the suite needs of a test runner. */
export interface TestRunner {
  readonly describe: (name: string, body: () => void | Promise<void>) => void;
  /** `skip` declares the running test as skipped, with a reason. */
  readonly test: (
    name: string,
    body: (skip: (reason: string) => void) => Promise<void>,
    options?: { readonly timeoutMs: number },
  ) => void;
  readonly skipped: (name: string, reason: string) => void;
}

export interface ContractOptions {
  /** Cases that the provider does not pass yet, with reason and review date. */
  readonly skips?: readonly Skip[] | undefined;
  /** Both if absent. A provider whose remote is slow may run the other one elsewhere. */
  readonly modes?: readonly Mode[] | undefined;
}

// The runner's own limit stands behind the suite's, which says more. A case makes its world, runs, cleans up and closes,
// each within its time.
const STAGES = 4;
const MARGIN_MS = 1_000;

/** Declares the suite's cases as tests of a runner: each case one test, and one more where projection can change it. */
export function declareContract(
  { describe, test, skipped }: TestRunner,
  name: string,
  factory: HarnessFactory,
  { skips = [], modes = MODES }: ContractOptions = {},
): void {
  describe(`${name} conforms to the Slipway contract (suite ${SUITE_VERSION})`, async () => {
    const prepared = await prepareRun(factory, { skips }).catch((error: unknown) => ({ error }));
    if ("error" in prepared) {
      return test("the harness can be made", async () => {
        throw prepared.error;
      });
    }
    const { planned, timeoutMs = DEFAULT_CASE_TIMEOUT_MS, skipProblems } = prepared;
    test("every skip is allowed and not overdue", async () => {
      if (skipProblems.length > 0) throw new Error(skipProblems.join("\n"));
    });
    const results: CaseResult[] = [];
    for (const mode of modes) {
      describe(mode, () => {
        for (const one of plannedIn(mode, planned)) {
          const title = `${one.case.id}: ${one.case.title}`;
          if (one.fate.kind !== "run") {
            skipped(title, one.fate.reason);
            void runPlanned(one, factory, mode).then((result) => results.push(result));
            continue;
          }
          test(
            title,
            async (skip) => {
              const result = await runPlanned(one, factory, mode, timeoutMs);
              results.push(result);
              if (result.status === "not-applicable") skip(result.reason ?? "not applicable");
              if (result.status !== "failed") return;
              if (result.advisory) skip(`advisory, and it fails: ${result.reason ?? ""}`);
              else throw new Error(result.reason);
            },
            { timeoutMs: timeoutMs * STAGES + MARGIN_MS },
          );
        }
        test("every case that the capabilities select has run", async () => {
          const problems = incomplete(
            [mode],
            planned,
            results.filter((one) => one.mode === mode),
          );
          if (problems.length > 0) throw new Error(problems.join("\n"));
        });
      });
    }
    if (modes.length === 0) return;
    // Last, since people read the end of the output first.
    test("no rule is broken in many cases", async () => {
      const causes = renderCauses(sharedCauses(results));
      if (causes.length > 0) throw new Error(causes.join("\n"));
    });
  });
}

/** A harness for each provider of a registry; null for what is registered for clusters alone. */
export type RegistryHarnesses<R extends Registrations> = {
  readonly [N in keyof R & string]: HarnessFactory | null;
};

/** How the suite runs over a registry. */
export interface RegistryOptions<R extends Registrations> {
  /** For each provider, the cases that it does not pass yet. */
  readonly skips?: { readonly [N in keyof R & string]?: readonly Skip[] };
  /**
   * Both if absent. None, where each provider's own tests run the suite: then only the harnesses are compared with what is
   * registered.
   */
  readonly modes?: readonly Mode[] | undefined;
}

/** Declares the suite for every provider of a registry. One without a harness fails, and so does a harness for none. */
export function declareRegistry<R extends Registrations>(
  runner: TestRunner,
  registry: ProviderRegistry<R>,
  harnesses: RegistryHarnesses<R>,
  { skips = {}, modes }: RegistryOptions<R> = {},
): void {
  for (const name of registry.names) {
    const { provider } = registry.registration(name);
    const factory = Object.hasOwn(harnesses, name) ? harnesses[name] : undefined;
    if (provider === undefined) continue;
    if (factory === undefined || factory === null) {
      runner.test(`${name} has a harness`, async () => {
        throw new Error(`${name} is registered and has no harness: nothing says that it keeps the contract`);
      });
      continue;
    }
    runner.test(`${name}'s harness is for the registered provider`, async () => {
      const harness = await factory();
      await harness.close();
      const tested = harness.registration.provider;
      const same = (of: typeof tested): string =>
        JSON.stringify([of.name, of.tier, Object.entries(of.capabilities).sort()]);
      if (same(tested) !== same(provider)) {
        throw new Error(`the harness tests ${same(tested)}, and ${same(provider)} is registered`);
      }
    });
    declareContract(runner, name, factory, { skips: skips[name], modes });
  }
  for (const name of Object.keys(harnesses)) {
    if (registry.names.some((known) => known === name)) continue;
    runner.test(`${name} is registered`, async () => {
      throw new Error(`there is a harness for ${name}, which is not registered`);
    });
  }
}
