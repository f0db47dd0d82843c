import { z } from "zod";
import type { Call } from "./action.ts";
import { refuse } from "./answers.ts";
import { type JsonAction, jsonAction } from "./json-action.ts";
import type { CostEntry } from "./world.ts";

const DAY_MS = 86_400_000;
const RESOURCE_DAYS = 14;
const COMPUTE = "Amazon Elastic Compute Cloud - Compute";

interface Expression {
  readonly Tags?: { readonly Key: string; readonly Values: readonly string[] } | undefined;
  readonly Dimensions?: { readonly Key: string; readonly Values: readonly string[] } | undefined;
  readonly And?: readonly Expression[] | undefined;
  readonly Or?: readonly Expression[] | undefined;
  readonly Not?: Expression | undefined;
}

const condition = z.strictObject({
  Key: z.string(),
  Values: z.array(z.string()).min(1),
  MatchOptions: z.array(z.enum(["EQUALS", "ABSENT", "CASE_SENSITIVE"])).optional(),
});
const expression: z.ZodType<Expression> = z.lazy(() =>
  z
    .strictObject({
      Tags: condition.optional(),
      Dimensions: condition.optional(),
      And: z.array(expression).min(2).optional(),
      Or: z.array(expression).min(2).optional(),
      Not: expression.optional(),
    })
    .refine((one) => Object.keys(one).length === 1, "Expression must have exactly one root"),
);
const date = z.string().regex(/^\d{4}-\d{2}-\d{2}$/);

const question = z.strictObject({
  TimePeriod: z.strictObject({ Start: date, End: date }),
  Granularity: z.enum(["DAILY", "MONTHLY", "HOURLY"]),
  Metrics: z.array(z.enum(["UnblendedCost", "AmortizedCost", "BlendedCost", "UsageQuantity"])).min(1),
  Filter: expression.optional(),
  GroupBy: z
    .array(z.strictObject({ Type: z.enum(["DIMENSION", "TAG"]), Key: z.string() }))
    .max(2)
    .optional(),
  NextPageToken: z.string().optional(),
});
type Question = z.infer<typeof question>;

export const costExplorerActions: Readonly<Record<string, JsonAction>> = {
  "AWSInsightsIndexService.GetCostAndUsage": jsonAction(question, (call, asked) => {
    const byResource = asked.GroupBy?.some(({ Key }) => Key === "RESOURCE_ID") === true;
    if (byResource) refuse("ValidationException", "RESOURCE_ID is only for GetCostAndUsageWithResources");
    return answer(call, asked);
  }),
  "AWSInsightsIndexService.GetCostAndUsageWithResources": jsonAction(question, (call, asked) => {
    const start = Date.parse(asked.TimePeriod.Start);
    if (start < call.now - (RESOURCE_DAYS + 1) * DAY_MS) {
      refuse("DataUnavailableException", "Resource level data is available for the last 14 days only.");
    }
    if (asked.Filter === undefined || !namesService(asked.Filter)) {
      refuse(
        "ValidationException",
        "Only one SERVICE may be asked for by resource, and it must be named in the filter.",
      );
    }
    return answer(call, asked);
  }),
};

function namesService({ Dimensions, And = [] }: Expression): boolean {
  return (Dimensions?.Key === "SERVICE" && Dimensions.Values.length === 1) || And.some(namesService);
}

function answer({ world, now }: Call, { TimePeriod, Metrics, Filter, GroupBy, Granularity }: Question): object {
  if (Granularity !== "DAILY") refuse("ValidationException", `Granularity ${Granularity} is not emulated`);
  const [start, end] = [Date.parse(TimePeriod.Start), Date.parse(TimePeriod.End)];
  if (!(start < end)) refuse("ValidationException", "Start date (and hour) should be before end date (and hour)");
  if (end > now + DAY_MS) refuse("ValidationException", "end date past the beginning of the day after tomorrow");
  const days = Array.from({ length: Math.round((end - start) / DAY_MS) }, (_, at) => dayOf(start + at * DAY_MS));
  return {
    ResultsByTime: days.map((day) => {
      const entries = world.costs.filter((one) => one.day === day && (Filter === undefined || matches(Filter, one)));
      const shape = {
        TimePeriod: { Start: day, End: dayOf(Date.parse(day) + DAY_MS) },
        Estimated: Date.parse(day) > now - 2 * DAY_MS,
      };
      if (GroupBy === undefined || GroupBy.length === 0)
        return { ...shape, Total: amounts(Metrics, entries), Groups: [] };
      return { ...shape, Total: {}, Groups: groups(entries, GroupBy, Metrics) };
    }),
    DimensionValueAttributes: [],
    ...(GroupBy === undefined ? {} : { GroupDefinitions: GroupBy }),
  };
}

function groups(
  entries: readonly CostEntry[],
  by: NonNullable<Question["GroupBy"]>,
  metrics: Question["Metrics"],
): object[] {
  const found = new Map<string, CostEntry[]>();
  for (const entry of entries) {
    const keys = by.map(({ Type, Key }) =>
      Type === "TAG" ? `${Key}$${entry.tags?.[Key] ?? ""}` : valueOf(entry, Key),
    );
    const name = JSON.stringify(keys);
    found.set(name, [...(found.get(name) ?? []), entry]);
  }
  return [...found].map(([name, ones]) => ({ Keys: JSON.parse(name) as unknown, Metrics: amounts(metrics, ones) }));
}

function amounts(metrics: Question["Metrics"], entries: readonly CostEntry[]): object {
  const sum = entries.reduce((total, { usd }) => total + usd, 0);
  return Object.fromEntries(metrics.map((metric) => [metric, { Amount: String(sum), Unit: "USD" }]));
}

function matches({ Tags, Dimensions, And, Or, Not }: Expression, entry: CostEntry): boolean {
  if (Tags !== undefined) return Tags.Values.includes(entry.tags?.[Tags.Key] ?? "");
  if (Dimensions !== undefined) return Dimensions.Values.includes(valueOf(entry, Dimensions.Key));
  if (And !== undefined) return And.every((one) => matches(one, entry));
  if (Or !== undefined) return Or.some((one) => matches(one, entry));
  return Not === undefined || !matches(Not, entry);
}

function valueOf(entry: CostEntry, dimension: string): string {
  const values: Readonly<Record<string, string | undefined>> = {
    RESOURCE_ID: entry.instanceId ?? "NoResourceId",
    INSTANCE_TYPE: entry.type ?? "NoInstanceType",
    REGION: entry.region ?? "global",
    SERVICE: COMPUTE,
  };
  return values[dimension] ?? refuse("ValidationException", `Dimension ${dimension} is not known`);
}

function dayOf(ms: number): string {
  return new Date(ms).toISOString().slice(0, 10);
}
