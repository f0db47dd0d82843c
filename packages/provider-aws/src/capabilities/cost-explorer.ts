import type { ResultByTime } from "@aws-sdk/client-cost-explorer";
import type { CostMethods } from "@slipway/core";
import { refusal } from "../call.ts";
import type { AwsContext } from "../context.ts";
import { costDays, costRequest, costsFrom } from "./cost-query.ts";

const MOST_PAGES = 100;

/**
 * What this owner's instances, volumes and snapshots cost, from AWS Cost Explorer. **Every call costs 0.01 US dollars,
 * and every further page as much again**; nothing in this package calls it by itself. The numbers lag by about a day,
 * know no smaller unit than a day, and are there only once the account's payer has activated the owner's tag as a cost
 * allocation tag. Grouped by instance, the account must also have resource-level data switched on (14 days back).
 */
export function costMethods(context: AwsContext): CostMethods {
  return {
    getCosts: async ({ from, to, groupBy, signal }) => {
      const call = { operation: "getCosts", signal };
      const days = costDays(call.operation, { from, to }, context.clock.now());
      if (days === null) return [];
      const request = costRequest(context.owner, days, groupBy);
      const action = groupBy === "instance" ? "GetCostAndUsageWithResources" : "GetCostAndUsage";
      const results: ResultByTime[] = [];
      let token: string | undefined;
      for (let page = 0; page < MOST_PAGES; page += 1) {
        const answer = await context.client.costExplorer(call, action, {
          ...request,
          ...(token === undefined ? {} : { NextPageToken: token }),
        });
        results.push(...(answer.ResultsByTime ?? []));
        token = answer.NextPageToken;
        if (token === undefined || token === "") return costsFrom(results, { from, to, groupBy });
      }
      throw refusal("INTERNAL", call.operation, `Cost Explorer's answer did not end after ${MOST_PAGES} pages`, {
        hint: "Ask for fewer days, or for another grouping: a part of the sum would be wrong.",
      });
    },
  };
}
