import type { GetCostAndUsageCommandInput, ResultByTime } from "@aws-sdk/client-cost-explorer";
import type { Cost, CostMethods, CostQuery } from "@slipway/core";
import { refusal } from "../call.ts";
import type { AwsContext } from "../context.ts";
import { composeId } from "../ids.ts";
import { TAGS } from "../tags.ts";

const DAY_MS = 86_400_000;
const METRIC = "UnblendedCost";

/** The days that a question covers: Cost Explorer knows no smaller unit without a paid setting of the account. */
export interface CostDays {
  /** `2026-01-31`, inclusive. */
  readonly start: string;
  /** Exclusive. */
  readonly end: string;
}

/** The whole days that the time touches; null where all of it lies after tomorrow, which nothing can have cost. */
export function costDays(
  operation: string,
  { from, to }: Pick<CostQuery, "from" | "to">,
  now: number,
): CostDays | null {
  const [begin, end] = [Date.parse(from), Date.parse(to)];
  if (!(begin < end)) throw refusal("INVALID_SPEC", operation, "from must be a time before to");
  // Cost Explorer refuses an end that lies farther ahead.
  const last = Math.min(Math.ceil(end / DAY_MS), Math.floor(now / DAY_MS) + 1) * DAY_MS;
  const first = Math.floor(begin / DAY_MS) * DAY_MS;
  return first < last ? { start: day(first), end: day(last) } : null;
}

const GROUPS: Readonly<Record<NonNullable<CostQuery["groupBy"]>, GetCostAndUsageCommandInput["GroupBy"]>> = {
  day: undefined,
  spec: [{ Type: "DIMENSION", Key: "INSTANCE_TYPE" }],
  instance: [
    { Type: "DIMENSION", Key: "RESOURCE_ID" },
    { Type: "DIMENSION", Key: "REGION" },
  ],
};

/** The question, about this owner's things alone: their tag must be activated as a cost allocation tag. */
function costRequest(
  owner: string,
  { start, end }: CostDays,
  groupBy: CostQuery["groupBy"],
): GetCostAndUsageCommandInput {
  const ours = { Tags: { Key: TAGS.owner, Values: [owner], MatchOptions: ["EQUALS" as const] } };
  const compute = { Dimensions: { Key: "SERVICE" as const, Values: ["Amazon Elastic Compute Cloud - Compute"] } };
  const groups = groupBy === undefined ? undefined : GROUPS[groupBy];
  return {
    TimePeriod: { Start: start, End: end },
    Granularity: "DAILY",
    Metrics: [METRIC],
    // By resource, EC2's own service must be named.
    Filter: groupBy === "instance" ? { And: [ours, compute] } : ours,
    ...(groups === undefined ? {} : { GroupBy: groups }),
  };
}

/** One amount of one day. */
interface Slice {
  readonly start: number;
  readonly end: number;
  readonly usd: number;
  readonly group: string | null;
  readonly estimated: boolean;
}

/** The answer, summed as it was asked for, its times cut at the ends of the question. */
export function costsFrom(
  results: readonly ResultByTime[],
  { from, to, groupBy }: Pick<CostQuery, "from" | "to" | "groupBy">,
): readonly Cost[] {
  const [begin, end] = [Date.parse(from), Date.parse(to)];
  const sums = new Map<string | null, Slice>();
  for (const slice of results.flatMap((result) => slicesOf(result, groupBy))) {
    const before = sums.get(slice.group);
    sums.set(slice.group, before === undefined ? slice : joined(before, slice));
  }
  return [...sums.values()]
    .toSorted((a, b) => compare(a.group ?? "", b.group ?? ""))
    .map(({ usd, group, estimated, ...span }) => ({
      usd: Math.round(usd * 1e9) / 1e9,
      from: new Date(Math.max(begin, span.start)).toISOString(),
      to: new Date(Math.min(end, span.end)).toISOString(),
      group,
      // A day that the question cuts is told whole: the amount of its part is not known.
      estimated: estimated || span.start < begin || span.end > end,
    }));
}

function slicesOf(result: ResultByTime, groupBy: CostQuery["groupBy"]): readonly Slice[] {
  const start = Date.parse(`${result.TimePeriod?.Start ?? ""}T00:00:00Z`);
  const end = Date.parse(`${result.TimePeriod?.End ?? ""}T00:00:00Z`);
  if (!(start < end)) return [];
  const slice = (amount: string | undefined, group: string | null): readonly Slice[] => {
    const usd = Number(amount);
    // Credits and refunds are negative; what a machine cost is not.
    return Number.isFinite(usd)
      ? [{ start, end, usd: Math.max(0, usd), group, estimated: result.Estimated === true }]
      : [];
  };
  if (groupBy === undefined) return slice(result.Total?.[METRIC]?.Amount, null);
  if (groupBy === "day") return slice(result.Total?.[METRIC]?.Amount, day(start));
  return (result.Groups ?? []).flatMap(({ Keys = [], Metrics }) => {
    const group = groupName(Keys, groupBy);
    return group === null ? [] : slice(Metrics?.[METRIC]?.Amount, group);
  });
}

/** Null for what is no instance and no machine type, as traffic: it belongs to neither question. */
function groupName([first = "", second]: readonly string[], groupBy: "spec" | "instance"): string | null {
  if (groupBy === "spec") return /^[a-z0-9-]+\.[a-z0-9-]+$/.test(first) ? first : null;
  if (!first.startsWith("i-")) return null;
  return second === undefined ? first : composeId(second, first);
}

function joined(a: Slice, b: Slice): Slice {
  return {
    start: Math.min(a.start, b.start),
    end: Math.max(a.end, b.end),
    usd: a.usd + b.usd,
    group: a.group,
    estimated: a.estimated || b.estimated,
  };
}

function compare(a: string, b: string): number {
  return a < b ? -1 : Number(a > b);
}

function day(ms: number): string {
  return new Date(ms).toISOString().slice(0, 10);
}

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
