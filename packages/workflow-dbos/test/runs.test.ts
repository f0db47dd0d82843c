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
