import type { Workflow } from "@slipway/core";
import { expect, test } from "vitest";
import { type Dbos, dbosRuns } from "../src/index.ts";

test("DBOS gives up no run of these, however often its host is started: what it did would never be undone", () => {
  const configs: { readonly name: string; readonly maxRecoveryAttempts?: number }[] = [];
  const dbos: Pick<Dbos, "registerWorkflow"> = {
    registerWorkflow: (work, config) => {
      configs.push(config);
      return work;
    },
  };
  // Registering uses nothing else.
  dbosRuns(dbos as Dbos, []);
  expect(configs).toEqual([{ name: "slipway cancel", maxRecoveryAttempts: Number.MAX_SAFE_INTEGER }]);
});

test("a run that cannot go on here stays pending: DBOS would call it failed, and nothing would be undone", async () => {
  const validate = (value: unknown) => ({ value });
  const anything = { "~standard": { version: 1 as const, vendor: "test", validate } };
  const flow: Workflow = { type: "flow", version: 1, input: anything, output: anything, run: async () => null };
  const logged: unknown[] = [];
  const outcomeOf = async (error: Error): Promise<string> => {
    const works: ((...args: unknown[]) => Promise<unknown>)[] = [];
    const dbos = {
      registerWorkflow: (work: (...args: unknown[]) => Promise<unknown>) => works.push(work),
      runStep: () => Promise.reject(error),
      logger: { error: (entry: unknown) => logged.push(entry) },
    };
    // A run asks for nothing else.
    dbosRuns(dbos as unknown as Dbos, [flow]);
    const ended = works[0]?.("r", null, { maxDurationMs: null }).then(String, String);
    return Promise.race([ended, new Promise((resolve) => setImmediate(resolve, "pending"))]) as Promise<string>;
  };
  const dbosError = (dbosErrorCode: number): Error => Object.assign(new Error("of DBOS"), { dbosErrorCode });
  const full = new Error("the disk is full");
  expect(await outcomeOf(full)).toBe("pending");
  expect(logged).toEqual([full]);
  // Another execution has it, or DBOS's own cancel.
  expect(await outcomeOf(dbosError(5))).toBe("Error: of DBOS");
  expect(await outcomeOf(dbosError(24))).toBe("Error: of DBOS");
  expect(logged).toEqual([full]);
});
