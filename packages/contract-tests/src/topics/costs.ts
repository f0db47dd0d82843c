import { assertSupports, type Cost } from "@slipway/core";
import type { CaseContext } from "../case-context.ts";
import { must, mustEqual } from "../conformance-failure.ts";
import type { Cases } from "../contract-case.ts";
import type { Rules } from "../ids.ts";
import { mustHaveShape } from "../shape.ts";

const DAY_MS = 24 * 3_600_000;

export const costsRules: Rules<"COST"> = {
  "COST-01": "`getCosts` answers amounts of at least zero for times inside the query.",
  "COST-02": "`group` is null without `groupBy`, and names the day, instance or spec with it.",
};

/** What instances cost. */
export const costsCases: Cases<"costs"> = {
  "costs.amounts": {
    title: "answers amounts for times inside the query, without a group",
    rules: ["COST-01", "COST-02"],
    run: async (context) => {
      const { costs, from, to } = await costsOf(context);
      for (const cost of costs) {
        mustHaveShape("COST-01", cost, "cost");
        const inside = cost.from >= from && cost.to <= to && cost.from < cost.to;
        must(
          inside,
          "COST-01",
          `${cost.from} to ${cost.to} is not inside ${from} to ${to}`,
          "Cut at the query's ends.",
        );
        mustEqual("COST-02", "the group", cost.group, null, "Group only where asked.");
      }
    },
  },
  "costs.grouped": {
    title: "names the day, instance or spec where asked to group by it",
    rules: ["COST-02"],
    run: async (context) => {
      for (const groupBy of ["day", "instance", "spec"] as const) {
        const { costs } = await costsOf(context, groupBy);
        const unnamed = costs.filter(({ group }) => group === null || group === "");
        mustEqual("COST-02", `costs by ${groupBy} without a name`, unnamed.length, 0, "Name the group.");
        const days = costs.filter(({ group }) => groupBy === "day" && !/^\d{4}-\d\d-\d\d/.test(group ?? ""));
        mustEqual("COST-02", "groups that are no day", days.length, 0, "Name the day as 2026-01-31.");
      }
    },
  },
};

async function costsOf(
  context: CaseContext,
  groupBy?: "day" | "instance" | "spec",
): Promise<{ readonly costs: readonly Cost[]; readonly from: string; readonly to: string }> {
  const { provider, spawn, watch, clock } = context;
  assertSupports(provider, "costExplorer");
  const { id } = await spawn();
  await watch(id, (seen) => seen?.status === "running");
  const from = new Date(clock.now() - DAY_MS).toISOString();
  const to = new Date(clock.now() + DAY_MS).toISOString();
  return { costs: await provider.getCosts({ from, to, ...(groupBy === undefined ? {} : { groupBy }) }), from, to };
}
