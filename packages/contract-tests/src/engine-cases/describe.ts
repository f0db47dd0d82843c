import { describe, test } from "vitest";
import type { EngineHarness } from "./fixture.ts";

export interface WorkflowEngineOptions {
  /** What this machine lacks: then every case is skipped. */
  readonly missing?: string | null | undefined;
  /** A case that the fixture cannot run fails, where it would be skipped with its reason. */
  readonly runsAll?: boolean | undefined;
}

/** The whole suite over one binding to a workflow engine, as vitest tests. Call it at the top of a test file. */
export function describeWorkflowEngine(
  name: string,
  harness: EngineHarness,
  options: WorkflowEngineOptions = {},
): void {
  const { missing = null, runsAll = false } = options;
  describe(name, async () => {
    // Read only here: whoever declares a provider's contract uses none of it.
    const [{ engineCases }, { runEngineCase }] = await Promise.all([import("./cases.ts"), import("./fixture.ts")]);
    // One that restarts the server that all share runs alone, after the others.
    const alone = engineCases.filter(({ needs }) => needs !== undefined);
    for (const engineCase of [...engineCases.filter((one) => !alone.includes(one)), ...alone]) {
      const declare = alone.includes(engineCase) ? test : test.concurrent;
      declare(`${engineCase.id}: ${engineCase.title}`, async ({ skip }) => {
        if (missing !== null) return skip(missing);
        const cannot = await runEngineCase(engineCase, harness);
        if (cannot === undefined) return;
        if (runsAll) throw new Error(cannot.skipped);
        skip(cannot.skipped);
      });
    }
  });
}
