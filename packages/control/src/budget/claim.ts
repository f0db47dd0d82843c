import { type Clock, ProviderError, systemClock, timestamp } from "@slipway/core";
import type { Poll } from "../poll.ts";
import { type DataRecord, type JsonValue, recordId, type StoredRecord } from "../store/record.ts";
import type { LaunchStore, Lease, Store } from "../store/store.ts";
import { StoreError } from "../store/store-error.ts";

/** What an owner may spend, counted over all launches that name a budget and share a store. */
export interface Budget {
  /** In no 24 hours more than this, US dollars. */
  readonly maxUsdPerDay: number;
  /** What the machine costs, as it is known now; null where it is not known, and then the launch is refused. */
  readonly usdPerHour: number | null;
}

/** The launch would pass the budget, or its price is not known. Nothing was launched. */
export class BudgetRefusal extends ProviderError<"QUOTA_EXCEEDED"> {
  readonly maxUsdPerDay: number;
  /** What the dearest day would cost; null where the price is not known. */
  readonly usdPerDay: number | null;

  constructor(provider: string, maxUsdPerDay: number, usdPerDay: number | null) {
    super("QUOTA_EXCEEDED", {
      message:
        usdPerDay === null
          ? `the price is not known, so maxUsdPerDay ${maxUsdPerDay} cannot be checked`
          : `with this launch a day would cost ${usdPerDay.toFixed(2)} US dollars, above maxUsdPerDay ${maxUsdPerDay}`,
      provider,
      operation: "launch",
      effect: "none",
      exhausted: true,
      hint:
        usdPerDay === null
          ? "Choose a machine type whose price is listed, or launch it without a budget."
          : "Terminate what is not needed, give it an earlier expiresAt, choose something cheaper, or raise the budget.",
    });
    this.maxUsdPerDay = maxUsdPerDay;
    this.usdPerDay = usdPerDay;
  }
}

interface Claiming {
  readonly provider: string;
  readonly owner: string;
  readonly store: LaunchStore;
  /** Of the launch, whose lease the caller holds. */
  readonly recordId: string;
  readonly expiresAt: string | undefined;
  /** What stood under the key before. */
  readonly before: StoredRecord | null;
  readonly poll: Poll;
}

const LEASE_MS = 60_000;

/**
 * Counts a launch in its owner's budget under the budget's own lease, and has `begin` write its intent before the lease is
 * given back: of two processes that launch at once, the second one sees the first, and whoever counts knows that no claim
 * is still without its intent. Throws a BudgetRefusal where it would be too much, and BUSY where the lease was lost
 * meanwhile: then nothing may be sent.
 */
export async function claimBudget(
  run: Claiming,
  { maxUsdPerDay, usdPerHour }: Budget,
  begin: () => Promise<void>,
): Promise<void> {
  const { provider, owner, store, recordId, poll } = run;
  if (!(maxUsdPerDay > 0)) throw invalid(provider, "budget.maxUsdPerDay must be above 0");
  if (usdPerHour === null || !(usdPerHour >= 0)) throw new BudgetRefusal(provider, maxUsdPerDay, null);
  const lease = await takeLease(run);
  try {
    const now = poll.clock.now();
    const known = await settled(store, await readClaims(store, owner), run, now);
    const until = run.expiresAt === undefined ? Number.NaN : Date.parse(run.expiresAt);
    const own: Claim = { id: recordId, usdPerHour, from: now, until: Number.isNaN(until) ? null : until, to: null };
    const claims = [...known, own];
    const usdPerDay = mostInADay(claims, now);
    // A sum of fractions is a hair off.
    const isOver = usdPerDay > maxUsdPerDay * (1 + 1e-9);
    // Another launch of this very store may have the lease since, and would let this one write over what it has counted.
    if (!lease.held()) throw busy(provider, owner);
    await store.write(budgetId(owner), budgetRecord(owner, isOver ? known : claims, poll.clock));
    if (isOver) throw new BudgetRefusal(provider, maxUsdPerDay, usdPerDay);
    await begin();
    // Whoever has counted since may have taken this claim for one that came to nothing.
    if (!lease.held()) throw busy(provider, owner);
  } finally {
    await store.release(lease).catch(() => undefined);
  }
}

async function takeLease({ owner, store, poll, provider }: Claiming): Promise<Lease> {
  const until = poll.clock.now() + LEASE_MS;
  for (let look = 0; ; look += 1) {
    poll.check();
    const lease = await store.acquire(budgetId(owner));
    if (lease !== null) return lease;
    if (poll.clock.now() >= until) throw busy(provider, owner);
    await poll.pause(Math.min(look, 2));
  }
}

/** The claims as the launches' own records say by now. What ended more than a day ago plays no part any more. */
async function settled(
  store: LaunchStore,
  claims: readonly Claim[],
  { recordId, before }: Claiming,
  now: number,
): Promise<readonly Claim[]> {
  const kept: Claim[] = [];
  for (const claim of claims) {
    const record = claim.id === recordId ? before : await store.read(claim.id);
    const to = claim.to ?? endOf(record, claim, now, claim.id === recordId);
    // `from`: nothing was made.
    if (to === claim.from || (to !== null && to < now - DAY_MS)) continue;
    kept.push({ ...claim, to });
  }
  return kept;
}

/** Null while it may run. An end that nobody noted is taken for one that came now. */
function endOf(record: StoredRecord | null, { from }: Claim, now: number, isOwn: boolean): number | null {
  if (record?.kind !== "launch") return now;
  if (record.state === "refused") return from;
  if (record.state === "ended") return Math.max(from, Date.parse(record.at));
  // The caller launches the key anew: what was there is gone, or was never made.
  if (isOwn) return record.state === "intended" ? from : now;
  return null;
}

/** Notes the confirmed end of a launch, so that it costs nothing from now on. */
export async function endClaim(
  store: LaunchStore,
  owner: string,
  recordId: string,
  clock: Clock = systemClock,
): Promise<void> {
  const isOpen = ({ id, to }: Claim): boolean => id === recordId && to === null;
  // Most owners have no budget, and need no lease.
  if (!(await readClaims(store, owner)).some(isOpen)) return;
  const lease = await store.acquire(budgetId(owner));
  // Whoever counts now notes it next time, as one that came then.
  if (lease === null) return;
  try {
    const claims = await readClaims(store, owner);
    const now = clock.now();
    if (!lease.held()) return;
    const ended = claims.map((one) => (isOpen(one) ? { ...one, to: Math.max(one.from, now) } : one));
    await store.write(budgetId(owner), budgetRecord(owner, ended, clock));
  } finally {
    await store.release(lease).catch(() => undefined);
  }
}

function busy(provider: string, owner: string): ProviderError<"BUSY"> {
  return new ProviderError("BUSY", {
    message: `the budget of ${owner} is being counted by another process`,
    provider,
    operation: "launch",
    effect: "none",
    hint: "Call again.",
  });
}

function invalid(provider: string, message: string): ProviderError<"INVALID_SPEC"> {
  return new ProviderError("INVALID_SPEC", { message, provider, operation: "launch", effect: "none" });
}

const DAY_MS = 86_400_000;
const HOUR_MS = 3_600_000;

/**
 * The most that any 24 hours that hold `now` cost: what was spent in them, and what is still to come. What runs is counted
 * until it is known to be gone, or until the time at which it is to be gone.
 */
export function mostInADay(claims: readonly Claim[], now: number): number {
  const spans = claims.map(({ usdPerHour, from, until, to }) => ({
    usdPerHour,
    from,
    // Past its time, and not known to be gone: it costs on.
    to: to ?? (until !== null && until > now ? until : Number.POSITIVE_INFINITY),
  }));
  // The sum grows and shrinks evenly between these.
  const edges = spans.flatMap(({ from, to }) => [from, to, from - DAY_MS, to - DAY_MS]);
  const begins = [now - DAY_MS, now, ...edges].filter((begin) => begin >= now - DAY_MS && begin <= now);
  const costOf = (begin: number): number =>
    spans.reduce((sum, { usdPerHour, from, to }) => {
      const ms = Math.min(to, begin + DAY_MS) - Math.max(from, begin);
      return sum + (usdPerHour * Math.max(0, ms)) / HOUR_MS;
    }, 0);
  return Math.max(...begins.map(costOf));
}

/** What one launch costs of its owner's budget, at the price that was known when it was claimed. Times are milliseconds. */
interface Claim {
  /** Of the launch's record. */
  readonly id: string;
  readonly usdPerHour: number;
  readonly from: number;
  /** When it is to be gone at the latest; null where nothing was said. */
  readonly until: number | null;
  /** When it was known to be gone; null while it may run. */
  readonly to: number | null;
}

function budgetId(owner: string): string {
  return recordId("budget", owner);
}

function budgetRecord(owner: string, claims: readonly Claim[], clock: Clock): DataRecord {
  const data = { claims: claims.map((one) => ({ ...one })) };
  return { kind: "budget", name: owner, owner, state: "counting", at: timestamp(clock), data };
}

async function readClaims(store: Store, owner: string): Promise<readonly Claim[]> {
  const id = budgetId(owner);
  const record = await store.read(id);
  if (record === null) return [];
  const claims = record.kind === "budget" ? claimsOf(record.data) : null;
  if (claims !== null) return claims;
  // What cannot be read may be all that the day allows.
  throw new StoreError("CORRUPT", {
    message: `the record of ${id} does not say what was spent`,
    hint: "Look at what runs and what it costs; then remove the record, and launch again.",
  });
}

function claimsOf(data: JsonValue): readonly Claim[] | null {
  const { claims } = fields(data);
  if (!Array.isArray(claims)) return null;
  const read = claims.map(claimOf);
  const whole = read.filter((one) => one !== null);
  return whole.length === read.length ? whole : null;
}

function claimOf(value: JsonValue): Claim | null {
  const { id, usdPerHour, from, until, to } = fields(value);
  if (typeof id !== "string" || typeof usdPerHour !== "number" || typeof from !== "number") return null;
  if ((until !== null && typeof until !== "number") || (to !== null && typeof to !== "number")) return null;
  return { id, usdPerHour, from, until, to };
}

function fields(value: JsonValue): { readonly [name: string]: JsonValue | undefined } {
  return typeof value === "object" && value !== null && !Array.isArray(value)
    ? (value as { readonly [name: string]: JsonValue })
    : {};
}
