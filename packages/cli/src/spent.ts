import type { Budget } from "@slipway/control";
import { type Clock, canListOfferings, type Instance, type Provider } from "@slipway/core";
import type { Session } from "./session.ts";
import type { SpawnRequest } from "./spawn-request.ts";

type Told = Pick<Session, "json"> & {
  readonly output: Pick<Session["output"], "line" | "note">;
  readonly world: Pick<Session["world"], "clock">;
};

const HOUR_MS = 3_600_000;
const COSTS_NOTHING: ReadonlySet<Instance["status"]> = new Set(["terminated"] as const);

/** What an instance has cost since it was made, at the price that its remote shows now; undefined where that is not known. */
export function spentOn({ price, createdAt, status }: Instance, clock: Clock): number | undefined {
  if (price === undefined || createdAt === null || COSTS_NOTHING.has(status)) return undefined;
  const ms = clock.now() - Date.parse(createdAt);
  return Number.isNaN(ms) ? undefined : (price.usdPerHour * Math.max(0, ms)) / HOUR_MS;
}

/** Says what an instance has cost that is ended now, where its remote shows a price. */
export function noteSpent({ output, json, world }: Told, instance: Instance): void {
  const spent = spentOn(instance, world.clock);
  if (spent === undefined || instance.price === undefined) return;
  const { usdPerHour } = instance.price;
  if (json) output.line({ type: "cost", id: instance.id, usdPerHour, spentUsd: spent });
  else output.note(`It cost about $${usd(spent)}, at $${usd(usdPerHour)} per hour.`);
}

/** What all of these cost together, in one sentence; null where none of them costs anything, or none has a price. */
export function totalOf(instances: readonly Instance[], clock: Clock): string | null {
  const live = instances.filter(({ status }) => !COSTS_NOTHING.has(status));
  const priced = live.filter(({ price }) => price !== undefined);
  if (priced.length === 0) return null;
  const perHour = priced.reduce((sum, { price }) => sum + (price?.usdPerHour ?? 0), 0);
  const spent = priced.map((one) => spentOn(one, clock)).filter((amount) => amount !== undefined);
  const soFar = spent.reduce((sum, amount) => sum + amount, 0);
  const unknown = live.length - priced.length;
  const rest = unknown === 0 ? "" : ` The price of ${unknown} of ${live.length} is not known.`;
  return `Together $${usd(perHour)} per hour, about $${usd(soFar)} so far.${rest}`;
}

export function usd(amount: number): string {
  // Enough digits that no price shows as nothing.
  if (amount > 0 && amount < 0.01) return amount.toPrecision(2);
  return amount >= 100 ? amount.toFixed(2) : amount.toFixed(4).replace(/0{1,2}$/, "");
}

/** What `--max-usd-per-day` comes to for one machine; undefined without it. */
export async function budgetFor(
  session: Session,
  exact: Provider,
  request: SpawnRequest,
  maxUsdPerDay: number | undefined,
): Promise<Budget | undefined> {
  if (maxUsdPerDay === undefined) return undefined;
  const { spot, maxUsdPerHour } = request;
  // What it may cost at most is known where its price is not.
  const most = spot?.maxUsdPerHour ?? maxUsdPerHour ?? null;
  const listed = spot === undefined ? await listedPrice(session, exact, request) : null;
  return { maxUsdPerDay, usdPerHour: listed ?? most };
}

/** The dearest of the offerings that may be meant; null where one of them has no price. */
async function listedPrice(session: Session, exact: Provider, { spec, region }: SpawnRequest): Promise<number | null> {
  if (spec === undefined || !canListOfferings(exact)) return null;
  const offerings = (await exact.listOfferings(session.call)).filter((one) => one.spec === spec);
  const here = offerings.filter(({ regions }) => region !== undefined && regions?.includes(region) === true);
  const prices = (here.length > 0 ? here : offerings).map(({ price }) => price?.usdPerHour);
  const known = prices.filter((price) => price !== undefined);
  return known.length === 0 || known.length < prices.length ? null : Math.max(...known);
}
