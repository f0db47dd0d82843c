import type { Cost, CostMethods, CostQuery } from "@slipway/core";
import { type MemoryContext, refusal } from "../context.ts";
import { composeId } from "../ids.ts";
import { usage, type WireUsage } from "../wire.ts";

const DAY_MS = 86_400_000;
const HOUR_MS = 3_600_000;

interface Slice {
  readonly group: string | null;
  readonly from: number;
  readonly to: number;
  readonly usd: number;
}

const GROUPINGS: Readonly<Record<NonNullable<CostQuery["groupBy"]>, (entry: WireUsage) => readonly Slice[]>> = {
  instance: (entry) => [slice(entry, composeId({ region: entry.region, id: entry.machine }))],
  spec: (entry) => [slice(entry, entry.spec)],
  day: (entry) => daysOf(entry).map((part) => slice(part, new Date(part.from).toISOString().slice(0, 10))),
};

export function costMethods(context: MemoryContext): CostMethods {
  return {
    getCosts: async ({ from, to, groupBy, signal }) => {
      const call = { operation: "getCosts", signal };
      const [begin, end] = [Date.parse(from), Date.parse(to)];
      if (!(begin < end)) throw refusal(call.operation, "INVALID_SPEC", "from must be a time before to");
      if (groupBy !== undefined && !Object.hasOwn(GROUPINGS, groupBy)) {
        throw refusal(call.operation, "INVALID_SPEC", "groupBy must be day, instance or spec");
      }
      const body = { owner: context.owner, from: begin, to: end };
      const { entries, at } = await context.client.send(call, "usage.read", context.regions[0], body, usage);
      const grouped = groupBy === undefined ? [] : entries.flatMap(GROUPINGS[groupBy]);
      if (groupBy === undefined) {
        const usd = rounded(entries.reduce((sum, entry) => sum + slice(entry, null).usd, 0));
        return [{ usd, from: iso(begin), to: iso(end), group: null, estimated: end > at }];
      }
      return summed(grouped).map(({ group, usd }) => ({
        usd: rounded(usd),
        ...spanOf(groupBy, group, begin, end),
        group,
        estimated: end > at,
      }));
    },
  };
}

function slice(entry: WireUsage, group: string | null): Slice {
  const { from, to, usdPerHour } = entry;
  return { group, from, to, usd: ((to - from) / HOUR_MS) * usdPerHour };
}

function daysOf(entry: WireUsage): readonly WireUsage[] {
  const parts: WireUsage[] = [];
  for (let from = entry.from; from < entry.to; ) {
    const midnight = Math.floor(from / DAY_MS) * DAY_MS + DAY_MS;
    const to = Math.min(midnight, entry.to);
    parts.push({ ...entry, from, to });
    from = to;
  }
  return parts;
}

function summed(slices: readonly Slice[]): readonly { readonly group: string; readonly usd: number }[] {
  const sums = new Map<string, number>();
  for (const { group, usd } of slices) sums.set(group ?? "", (sums.get(group ?? "") ?? 0) + usd);
  return [...sums].sort(([a], [b]) => (a < b ? -1 : 1)).map(([group, usd]) => ({ group, usd }));
}

function spanOf(groupBy: string, group: string, begin: number, end: number): Pick<Cost, "from" | "to"> {
  if (groupBy !== "day") return { from: iso(begin), to: iso(end) };
  const day = Date.parse(`${group}T00:00:00.000Z`);
  return { from: iso(Math.max(begin, day)), to: iso(Math.min(end, day + DAY_MS)) };
}

/** Billionths of a dollar: what sums of fractions add beyond that is noise. */
function rounded(usd: number): number {
  return Math.round(usd * 1e9) / 1e9;
}

function iso(ms: number): string {
  return new Date(ms).toISOString();
}
