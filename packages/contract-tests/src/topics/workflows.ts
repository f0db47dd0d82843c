import { must, shown } from "../conformance-failure.ts";
import type { Cases } from "../contract-case.ts";
import type { Rules } from "../ids.ts";

export const workflowsRules: Rules<"FLOW"> = {
  "FLOW-01":
    "A workflow that a provider ships has a type, a whole version of at least 1, input and output schemas, and a contract whose fields and duration are set.",
  "FLOW-02":
    "A step's name is unique in a run, and its `key` is a pure function of the workflow's type, run id and name.",
  "FLOW-03": "Undos run in reverse order, all of them, also for the failed step if its error's effect is not `none`.",
  "FLOW-04": "What could not be undone is in the error's `leftovers`.",
  "FLOW-05": "A run whose process was killed is resumed by its run id, and no finished step runs again.",
  "FLOW-06": "Cancelling undoes, and `maxDurationMs` cancels.",
};

/** The workflows that a provider ships. */
export const workflowsCases: Cases<"workflows"> = {
  "workflows.described": {
    title: "describes each workflow and what it promises",
    rules: ["FLOW-01"],
    needs: ["workflows"],
    run: async ({ harness }) => {
      const { workflows = {}, contracts = {} } = harness.registration;
      for (const [name, { type, version, input, output }] of Object.entries(workflows)) {
        must(type !== "", "FLOW-01", `${name} has no type`, "Give it one that never changes.");
        const whole = Number.isInteger(version) && version >= 1;
        must(whole, "FLOW-01", `${name} has the version ${shown(version)}`, "Begin at 1; raise it when steps change.");
        for (const schema of [input, output]) {
          const standard = typeof schema === "object" && schema !== null && "~standard" in schema;
          must(standard, "FLOW-01", `${name} lacks a schema`, "Give input and output a standard schema.");
        }
        const contract = contracts[name];
        must(contract !== undefined, "FLOW-01", `${name} has no contract`, "Write it into contracts.");
        const { requiredOutputFields, maxDurationMs } = contract;
        must(maxDurationMs > 0, "FLOW-01", `${name} may last ${maxDurationMs} ms`, "Say how long it may last.");
        must(Array.isArray(requiredOutputFields), "FLOW-01", `${name} promises no fields`, "List them; none is [].");
      }
    },
  },
};
