import type { Budget } from "@slipway/control";
import { canListOfferings, type Provider } from "@slipway/core";
import type { Session } from "./session.ts";
import type { SpawnRequest } from "./spawn-request.ts";

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
